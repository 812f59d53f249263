package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/httpcache"
)

var noDeadline time.Time

// servedBy returns this node's name as X-Served-By has it.
func servedBy(node, pop string) string {
	return "cache-" + node + "-" + strings.ToUpper(pop)
}

// pseudonym returns this node's name as Via has it (RFC 9110 section 7.6.3).
func pseudonym(node string) string { return "rescind-" + node }

// setFields writes the fields of the response, as kept in x.out, and those of
// this node.
func (x *exchange) setFields(h http.Header) {
	reset(h)
	for _, f := range x.out {
		name := http.CanonicalHeaderKey(f.Name)
		switch name {
		case "Age", "Content-Length":
			continue // ours to say
		}
		h[name] = append(h[name], f.Value)
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // keeps net/http from guessing one
	}
	if x.fromCache() {
		h["Age"] = []string{strconv.FormatInt(max(x.age(), 0), 10)}
	} else if age, ok := x.answer.Head.Get("Age"); ok {
		h["Age"] = []string{age}
	}
	h["Via"] = append(h["Via"], "1.1 "+x.cfg.via)
	x.setNodeFields(h)
	if x.debug {
		x.setDebugFields(h)
	}
	x.rewriteResponse(h)
}

// fromCache tells whether the response has an age here: it is stored, or was
// taken from one that is.
func (x *exchange) fromCache() bool { return x.answer.Head.Born() != 0 }

// age returns the response's age in whole seconds (RFC 9111 section 4.2.3).
func (x *exchange) age() int64 {
	return int64(time.Duration(time.Now().UnixNano()-x.answer.Head.Born()) / time.Second)
}

// setNodeFields writes what this node says of the exchange. Behind another
// cache that says the same, its words come first.
func (x *exchange) setNodeFields(h http.Header) {
	result, hits := "MISS", uint64(0)
	if x.outcome == outcomeHit || x.outcome == outcomeStale {
		result, hits = "HIT", x.object.Hit()
	}
	chain(h, "X-Served-By", x.cfg.servedBy)
	chain(h, "X-Cache", result)
	chain(h, "X-Cache-Hits", strconv.FormatUint(hits, 10))
	start := x.start.UnixMicro()
	h["X-Timer"] = []string{fmt.Sprintf("S%d.%06d,VS0,VE%d", start/1e6, start%1e6, x.elapsed().Milliseconds())}
	if x.service != nil && !x.service.NoCacheStatus {
		status := string(httpcache.AppendCacheStatus(nil, x.cfg.via, x.cacheStatus()))
		h["Cache-Status"] = append(h["Cache-Status"], status)
	}
}

// reset empties the fields of the answer but for what the server has to say
// about the connection.
func reset(h http.Header) {
	connection := h["Connection"]
	clear(h)
	if connection != nil {
		h["Connection"] = connection
	}
}

func chain(h http.Header, name, value string) {
	if prior := h[name]; len(prior) > 0 {
		value = strings.Join(prior, ", ") + ", " + value
	}
	h[name] = []string{value}
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
		if !httpcache.SafeMethod(x.r.Method) {
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
	return time.Duration(x.verdict.Times.Fresh - time.Now().UnixNano())
}

// setDebugFields answers Fastly-Debug in the form that its readers parse.
func (x *exchange) setDebugFields(h http.Header) {
	now := x.start.Unix()
	path := fmt.Sprintf("(D %s %d)", x.cfg.servedBy, now)
	if x.answer.FwdStatus != 0 {
		path += fmt.Sprintf(" (F %s %d)", x.cfg.servedBy, now)
	}
	chain(h, "Fastly-Debug-Path", path)
	ttl, grace, age := "-", "-", "-"
	if x.fromCache() {
		times := x.answer.Head.Times()
		if x.object.Found() && x.answer.Head == x.object.Head {
			times = x.verdict.Times
		}
		ttl = seconds(times.Fresh - time.Now().UnixNano())
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
	chain(h, "Fastly-Debug-TTL", fmt.Sprintf("(%s %s %s %s %s)", letter, x.cfg.servedBy, ttl, grace, age))
	digest := sha256.Sum256(x.key[:])
	h["Fastly-Debug-Digest"] = []string{hex.EncodeToString(digest[:])}
}

func seconds(ns int64) string {
	return strconv.FormatFloat(time.Duration(ns).Seconds(), 'f', 3, 64)
}
