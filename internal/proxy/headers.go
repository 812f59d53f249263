package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/httpcache"
)

var noDeadline time.Time

// servedBy returns this node's name as X-Served-By has it.
func servedBy(node, pop string) string {
	return "cache-" + node + "-" + strings.ToUpper(pop)
}

// pseudonym returns this node's name as Via has it (RFC 9110 section 7.6.3).
func pseudonym(node string) string { return "rescind-" + node }

// finish makes x.out, the fields as they are kept, those of the answer: without
// what only this node knows, and with that.
func (x *exchange) finish() {
	x.out = x.out.Without("Content-Length")
	if x.fromCache() {
		x.out = x.out.Set("Age", x.number(max(x.age(), 0)))
	}
	x.out = x.out.Add("Via", x.cfg.viaValue)
	x.addNodeFields()
	if x.debug {
		x.addDebugFields()
	}
	if x.edge != nil {
		x.addWord()
		return
	}
	x.rewriteResponse()
}

// now is the present in Unix nanoseconds. An answer by the server itself takes
// no time worth looking at the clock again.
func (x *exchange) now() int64 {
	if x.fast {
		return x.start.UnixNano()
	}
	return time.Now().UnixNano()
}

// fromCache tells whether the response has an age here: it is stored, or was
// taken from one that is.
func (x *exchange) fromCache() bool { return x.answer.Head.Born() != 0 }

// age returns the response's age in whole seconds (RFC 9111 section 4.2.3).
func (x *exchange) age() int64 {
	return (x.now() - x.answer.Head.Born()) / int64(time.Second)
}

// addNodeFields adds what this node says of the exchange. Behind another cache
// that says the same, its words come first.
func (x *exchange) addNodeFields() {
	result, hits := "MISS", "0"
	if x.outcome == outcomeHit || x.outcome == outcomeStale {
		result, hits = "HIT", x.number(int64(x.hits))
	}
	x.chain("X-Served-By", x.cfg.servedBy)
	x.chain("X-Cache", result)
	x.chain("X-Cache-Hits", hits)
	x.out = x.out.Set("X-Timer", x.timer())
	if x.service != nil && !x.service.NoCacheStatus {
		from := len(x.text)
		x.text = httpcache.AppendCacheStatus(x.text, x.cfg.via, x.cacheStatus())
		x.out = x.out.Add("Cache-Status", x.since(from))
	}
}

// timer says when the request came and how many milliseconds it took.
func (x *exchange) timer() string {
	from := len(x.text)
	x.text = x.appendTimer(x.text)
	return x.since(from)
}

func (x *exchange) appendTimer(b []byte) []byte {
	now, start := x.now(), x.start.UnixNano()
	b = append(b, 'S')
	b = strconv.AppendInt(b, start/1e9, 10)
	b = append(b, '.')
	for micro, unit := start/1e3%1e6, int64(1e5); unit > 0; unit /= 10 {
		b = append(b, byte('0'+micro/unit%10))
	}
	b = append(b, ",VS0,VE"...)
	return strconv.AppendInt(b, (now-start)/1e6, 10)
}

// chain adds a value to what other caches said.
func (x *exchange) chain(name, value string) {
	if prior, ok := x.out.Joined(name); ok {
		value = prior + ", " + value
	}
	x.out = x.out.Set(name, value)
}

// number returns n as text.
func (x *exchange) number(n int64) string {
	from := len(x.text)
	x.text = strconv.AppendInt(x.text, n, 10)
	return x.since(from)
}

// since returns what was appended to x.text from an offset on. It is valid
// until the exchange ends: what is appended behind it moves the text at most,
// and leaves the old one as it is.
func (x *exchange) since(from int) string {
	if from == len(x.text) {
		return ""
	}
	return unsafe.String(&x.text[from], len(x.text)-from)
}

// cacheStatus describes the exchange (RFC 9211).
func (x *exchange) cacheStatus() httpcache.CacheStatus {
	var s httpcache.CacheStatus
	switch x.outcome {
	case outcomeHit, outcomeStale:
		s.Hit = true
		s.TTL, s.HasTTL = x.ttl(), true
		if x.outcome == outcomeStale && x.found == foundStale {
			s.Hit, s.Fwd = false, httpcache.FwdStale // the origin was asked in vain
		}
	case outcomePass:
		s.Fwd = httpcache.FwdBypass
		if !httpcache.SafeMethod(x.ask.method) {
			s.Fwd = httpcache.FwdMethod
		}
	case outcomeMiss:
		s.Fwd = httpcache.FwdURIMiss
		switch x.found {
		case foundStale:
			s.Fwd = httpcache.FwdStale
		case foundOthers:
			s.Fwd = httpcache.FwdVaryMiss
		}
	default:
		s.Fwd = httpcache.FwdMiss
		s.Detail = "error"
	}
	if x.answer != nil {
		s.FwdStatus, s.Stored, s.Collapsed = x.answer.FwdStatus, x.answer.Stored && !s.Hit, x.answer.Collapsed
		if !x.answer.Stored {
			s.Detail = x.answer.Reason.String()
		}
	}
	if x.found == foundPurged {
		s.Fwd, s.Detail = httpcache.FwdMiss, "purged"
	}
	return s
}

// ttl is how long the stored response stays fresh; negative once it is stale.
func (x *exchange) ttl() time.Duration {
	return time.Duration(x.verdict.Times.Fresh - x.now())
}

// addDebugFields answers Fastly-Debug in the form that its readers parse.
func (x *exchange) addDebugFields() {
	now := x.start.Unix()
	path := fmt.Sprintf("(D %s %d)", x.cfg.servedBy, now)
	if x.answer.FwdStatus != 0 {
		path += fmt.Sprintf(" (F %s %d)", x.cfg.servedBy, now)
	}
	x.chain("Fastly-Debug-Path", path)
	ttl, grace, age := "-", "-", "-"
	if x.fromCache() {
		times := x.answer.Head.Times()
		if x.object.Found() && x.answer.Head == x.object.Head {
			times = x.verdict.Times
		}
		ttl = seconds(times.Fresh - x.now())
		grace = seconds(times.SWR - times.Fresh)
		age = strconv.FormatInt(x.age(), 10)
	}
	letter := "M"
	switch x.outcome {
	case outcomeHit, outcomeStale:
		letter = "H"
	case outcomePass:
		letter = "P"
	}
	x.chain("Fastly-Debug-TTL", fmt.Sprintf("(%s %s %s %s %s)", letter, x.cfg.servedBy, ttl, grace, age))
	digest := sha256.Sum256(x.key[:])
	x.out = x.out.Set("Fastly-Debug-Digest", hex.EncodeToString(digest[:]))
}

func seconds(ns int64) string {
	return strconv.FormatFloat(time.Duration(ns).Seconds(), 'f', 3, 64)
}
