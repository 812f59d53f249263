package fastly

import (
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Whoever has confirmed, the answer is 200: clients take anything else for a purge
// that failed. What is known is where they do not look.
func TestWaiting(t *testing.T) {
	n := dialecttest.New(t)
	const head = "Host: www.example.com\nFastly-Key: root-secret\nRescind-Wait: all\nRescind-Wait-Timeout: 1ms\nContent-Length: 0\n"
	for _, missing := range []string{"", "sin1"} {
		n.Others.Missing = strings.Fields(missing)
		for _, line := range []string{
			"PURGE /page", "POST /purge/www.example.com/page", "POST /service/shop/purge/k", "POST /service/shop/purge_all",
			"POST /service/shop/purge",
		} {
			got := dialecttest.Send(t, API(n.Door()), line+" HTTP/1.1\n"+head+"Surrogate-Key: k\n\n")
			confirmed := "all"
			if missing != "" {
				confirmed = ""
			}
			if got.Status != 200 || got.Header.Get("Rescind-Missing") != missing || got.Header.Get("Rescind-Confirmed") != confirmed {
				t.Errorf("%s: %d %v", line, got.Status, got.Header)
			}
			if bulk := strings.HasSuffix(line, "/purge"); bulk != !strings.Contains(got.Body, `"status":"ok"`) || bulk && strings.Contains(got.Body, "sin1") ||
				!bulk && missing != "" && !strings.Contains(got.Body, `"missing":["sin1"]`) || !bulk && missing == "" && !strings.Contains(got.Body, `"confirmed":"all"`) {
				t.Errorf("%s: %s", line, got.Body)
			}
		}
	}
}

// The query of a purged URL is the site's, and that of a key a part of the key, but
// where it does nothing but ask to wait.
func TestWaitingLeavesTheQueryAlone(t *testing.T) {
	n := dialecttest.New(t)
	n.Others.Missing = []string{"sin1"}
	for _, line := range []string{"PURGE /page?wait=all", "POST /service/shop/purge/k?wait=all&v=1", "POST /service/shop/purge/q%3Fwait=all"} {
		got := dialecttest.Send(t, API(n.Door()), line+" HTTP/1.1\nHost: www.example.com\nFastly-Key: root-secret\nContent-Length: 0\n\n")
		if got.Status != 200 || got.Header.Get("Rescind-Missing") != "" {
			t.Errorf("%s: %d %v", line, got.Status, got.Header)
		}
	}
	if n.State(t, "shop", "//www.example.com/page?wait=all") != purge.Withdrawn || n.State(t, "shop", "//www.example.com/x", "k?wait=all&v=1") != purge.Withdrawn ||
		n.State(t, "shop", "//www.example.com/x", "q?wait=all") != purge.Withdrawn {
		t.Error("something else was purged")
	}
	for line, status := range map[string]int{"purge_all?wait=all&timeout=1ms": 200, "purge_all?wait=some": 400, "purge/key?wait=all&timeout=1ms": 200, "purge/key?wait=some": 400} {
		got := dialecttest.Send(t, API(n.Door()), "POST /service/shop/"+line+" HTTP/1.1\nHost: a\nFastly-Key: root-secret\nContent-Length: 0\n\n")
		if got.Status != status || status == 200 && got.Header.Get("Rescind-Missing") != "sin1" {
			t.Errorf("%s: %d %v %s", line, got.Status, got.Header, got.Body)
		}
	}
}
