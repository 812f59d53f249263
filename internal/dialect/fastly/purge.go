package fastly

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// HeaderCount carries the number of objects that a purge by URL withdrew or
// made stale on the answering node.
const HeaderCount = "Rescind-Purged"

// HeaderRequiresAuth on a PURGE makes it need a token, whatever address it comes
// from: its presence counts, not its value. A site's edge logic sets it there;
// who sends it himself asks for less than he has.
const HeaderRequiresAuth = "Fastly-Purge-Requires-Auth"

// Speaks tells whether a PURGE is written in this dialect and no other.
func Speaks(r *http.Request) bool {
	for _, name := range [...]string{"Fastly-Key", headerSoft, HeaderRequiresAuth} {
		if _, ok := r.Header[name]; ok {
			return true
		}
	}
	return false
}

// Purge returns the handler of PURGE on the sites' own listeners: it purges the
// URL that it is sent to, under both schemes. It is for requests with that
// method alone. A caller that is not let in gets 401, with a token that does
// not suffice 403, both as JSON: this API's clients know no others.
func Purge(door dialect.Door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		purgeTarget(w, r, door, door.Credentials(r, control.DataListener))
	})
}

func purgeTarget(w http.ResponseWriter, r *http.Request, door dialect.Door, creds control.Credentials) {
	_, creds.TokenOnly = r.Header[HeaderRequiresAuth]
	setAllowance(w, door.Control.Allowance(creds, "", false))
	receipt, wait, err := purgeOne(r, door, creds)
	if err != nil {
		writeError(w, err)
		return
	}
	setAllowance(w, door.Control.Allowance(creds, receipt.Service, false))
	writePurged(w, receipt, door.Confirm(w, r, wait, receipt.Entry))
}

func purgeOne(r *http.Request, door dialect.Door, creds control.Credentials) (receipt control.Receipt, wait dialect.Wait, err error) {
	if err = door.Control.Authenticate(creds, name); err != nil {
		return receipt, wait, err
	}
	if wait, err = door.WaitOf(r.Header, nil); err != nil {
		return receipt, wait, err
	}
	selector, err := purge.URL(targetURL(r, creds.Listener))
	if err != nil {
		return receipt, wait, err
	}
	receipt, err = door.Control.Purge(creds, request(r, "", selector))
	return receipt, wait, err
}

// targetURL returns the URL that a PURGE request is for. On the admin listener
// an old client's "/https://host/path" names the URL itself.
func targetURL(r *http.Request, on control.Listener) string {
	if raw := dialect.OriginForm(r.RequestURI); on == control.AdminListener && wholeURL(raw) {
		return bothSchemes(raw[1:])
	}
	return dialect.TargetURL(r)
}

func wholeURL(raw string) bool {
	return strings.HasPrefix(raw, "/https:/") || strings.HasPrefix(raw, "/http:/")
}

// setCount sets HeaderCount where the number is known.
func setCount(w http.ResponseWriter, r control.Receipt) {
	if r.CountKnown {
		w.Header().Set(HeaderCount, strconv.Itoa(r.Count))
	}
}
