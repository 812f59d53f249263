package proxy

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// isForwarding tells whether a field is one that this node writes itself, or one
// that many origins cannot tell from it: CGI and what descends from it make one
// variable of X-Forwarded-For and X_Forwarded_For.
func isForwarding(name string) bool {
	switch len(name) {
	case len("Via"):
		return field.EqualFold(name, "Via")
	case len("Forwarded"):
		return field.EqualFold(name, "Forwarded")
	case len("X-Forwarded-For"):
		return inCGI(name, "X-Forwarded-For")
	case len("X-Forwarded-Host"): // and X-Forwarded-Port
		return inCGI(name, "X-Forwarded-Host")
	case len("X-Forwarded-Proto"):
		return inCGI(name, "X-Forwarded-Proto")
	}
	return false
}

func inCGI(name, own string) bool {
	if strings.IndexByte(name, '_') >= 0 {
		name = strings.ReplaceAll(name, "_", "-")
	}
	return field.EqualFold(name, own)
}
