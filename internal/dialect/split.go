package dialect

import (
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

// HeaderPurge carries the ids of the purges that a request became, separated
// by ", ", in answers of dialects that have no place of their own for them.
const HeaderPurge = "Rescind-Purge"

// Split returns a request as several where it names more than one purge holds,
// each with its share of the selectors. Repeated ones are left out.
func Split(r control.Request, selectors []purge.Selector) []control.Request {
	var requests []control.Request
	for rest := distinct(selectors); len(rest) > 0; {
		n := min(len(rest), purge.MaxKeys)
		r.Selectors, rest = rest[:n:n], rest[n:]
		requests = append(requests, r)
	}
	return requests
}

func distinct(selectors []purge.Selector) []purge.Selector {
	type name struct {
		kind purge.Kind
		text string
	}
	seen := make(map[name]bool, len(selectors))
	var out []purge.Selector
	for _, s := range selectors {
		if n := (name{s.Kind, s.String()}); !seen[n] {
			seen[n] = true
			out = append(out, s)
		}
	}
	return out
}

// IDs returns the ids of receipts as HeaderPurge has them.
func IDs(receipts []control.Receipt) string {
	text := ""
	for i, r := range receipts {
		if i > 0 {
			text += ", "
		}
		text += r.ID.String()
	}
	return text
}
