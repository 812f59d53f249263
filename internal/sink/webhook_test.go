package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// receiver answers requests in turn, and repeats its last answer.
type receiver struct {
	mu      sync.Mutex
	answers []func(*http.Request) (*http.Response, error)
	got     []posted
}

type posted struct {
	at   time.Time
	key  string
	body string
	from http.Header
}

func (r *receiver) RoundTrip(q *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.answers[min(len(r.got), len(r.answers)-1)]
	r.got = append(r.got, posted{time.Now(), q.Header.Get("Idempotency-Key"), string(body), q.Header})
	return answer(q)
}

func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("why"))}, nil
	}
}

func failing(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") }

const hook = "https://user:secret@hooks.example/secret/path?token=secret"

// deliver gives lines to a webhook and returns what its receiver got.
func deliver(t *testing.T, lines int, answers ...func(*http.Request) (*http.Response, error)) (*receiver, *Sink, []record) {
	t.Helper()
	log, said := journal()
	r := &receiver{answers: answers}
	s := openOn(t, Config{To: parse(t, hook), Transport: r, Log: log})
	for i := range lines {
		s.Put(fmt.Appendf(nil, `{"n":%d}`, i))
	}
	time.Sleep(10 * time.Minute)
	closeIn(t, s, time.Second)
	if strings.Contains(said.String(), "secret") {
		t.Errorf("a secret is in the log: %s", said)
	}
	return r, s, records(t, said)
}

func TestWebhookPostsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, said := deliver(t, 3, status(204))
		if len(r.got) != 1 || r.got[0].body != "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n" || s.Delivered() != 3 || len(said) > 0 {
			t.Fatalf("got %+v, delivered %d, said %v", r.got, s.Delivered(), said)
		}
		h := r.got[0].from
		if h.Get("Content-Type") != "application/x-ndjson" || h.Get("Authorization") == "" || len(r.got[0].key) < 20 {
			t.Errorf("fields %v", h)
		}
	})
}

func TestWebhookRetriesUnderOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := deliver(t, 1, failing, status(503), status(429, "Retry-After", "20"), status(200))
		if len(r.got) != 4 || s.Delivered() != 1 || s.Dropped() != 0 {
			t.Fatalf("%d requests, delivered %d", len(r.got), s.Delivered())
		}
		for i, p := range r.got {
			if p.key != r.got[0].key || p.body != r.got[0].body {
				t.Errorf("attempt %d has the key %s and the body %q", i, p.key, p.body)
			}
		}
		if pause := r.got[3].at.Sub(r.got[2].at); pause != 20*time.Second {
			t.Errorf("the receiver wanted 20 s and got %v", pause)
		}
	})
}

func TestWebhookAttemptsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, said := deliver(t, 1, status(500))
		if len(r.got) != postAttempts || s.Dropped() != 1 {
			t.Fatalf("%d requests, dropped %d", len(r.got), s.Dropped())
		}
		if took := r.got[len(r.got)-1].at.Sub(r.got[0].at); took < 25*time.Second || took > 70*time.Second {
			t.Errorf("the attempts took %v", took)
		}
		if last := said[len(said)-1]; last.Msg != "log lines dropped" || last.Sink != "https://hooks.example" ||
			last.Error != "after 8 attempts: the receiver answered 500" {
			t.Errorf("said %+v", last)
		}
	})
}

func TestWebhookDoesNotRepeatWhatIsRefused(t *testing.T) {
	for _, code := range []int{301, 400, 401, 413} {
		synctest.Test(t, func(t *testing.T) {
			r, s, said := deliver(t, 1, status(code, "Location", "https://elsewhere.example/"))
			if len(r.got) != 1 || s.Dropped() != 1 {
				t.Errorf("%d: %d requests, dropped %d", code, len(r.got), s.Dropped())
			}
			if want := fmt.Sprintf("the receiver refused the lines with %d", code); said[0].Error != want {
				t.Errorf("said %+v, want %s", said[0], want)
			}
		})
	}
}

func TestWebhookRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := deliver(t, 2*postLines+1, status(200), status(400), status(200))
		var sizes, keys []string
		for _, p := range r.got {
			sizes = append(sizes, fmt.Sprint(bytes.Count([]byte(p.body), []byte("\n"))))
			keys = append(keys, p.key)
		}
		slices.Sort(keys)
		if strings.Join(sizes, " ") != "1000 1000 1" || len(slices.Compact(keys)) != 3 {
			t.Errorf("requests of %v lines, keys %v", sizes, keys)
		}
		if s.Delivered() != postLines+1 || s.Dropped() != postLines {
			t.Errorf("delivered %d, dropped %d", s.Delivered(), s.Dropped())
		}
	})
}

func TestRetryAfterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			"": 0, "5": 5 * time.Second, "-1": 0, "99999": retryAfterMost, "x": 0,
			time.Now().Add(10 * time.Second).UTC().Format(http.TimeFormat): 10 * time.Second,
			time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat):       0,
			time.Now().Add(time.Hour).UTC().Format(http.TimeFormat):        retryAfterMost,
		} {
			if got := retryAfter(&http.Response{Header: http.Header{"Retry-After": {value}}}); got != want {
				t.Errorf("%q: %v, want %v", value, got, want)
			}
		}
	})
}

// The same over a real connection, whose errors hold the URL.
func TestWebhookErrorsHoldNoSecret(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.Replace(server.URL, "http://", "http://user:secret@", 1) + "/secret?token=secret"
	server.Close()
	log, said := journal()
	s := openOn(t, Config{To: parse(t, address), Log: log})
	s.Put([]byte("{}"))
	said.await(1)
	if err := closeIn(t, s, time.Millisecond); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(said.String(), "secret") || !strings.Contains(said.String(), "refused") {
		t.Errorf("reported %s", said)
	}
}
