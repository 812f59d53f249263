package proxy

import "strings"

// routes finds the service of a host: the exact domain, else the longest
// wildcard suffix, else the catch-all.
type routes struct {
	exact    map[string]*Service
	suffixes map[string]*Service // ".shop.example" for "*.shop.example"
	any      *Service
}

func newRoutes(services []*Service) *routes {
	r := &routes{exact: make(map[string]*Service), suffixes: make(map[string]*Service)}
	for _, s := range services {
		for _, domain := range s.Domains {
			switch suffix, wild := strings.CutPrefix(domain, "*"); {
			case !wild:
				r.exact[domain] = s
			case suffix == "":
				r.any = s
			default:
				r.suffixes[suffix] = s
			}
		}
	}
	return r
}

// match returns the service of a host name without a port, or nil.
func (r *routes) match(hostname string) *Service {
	if s := r.exact[hostname]; s != nil {
		return s
	}
	for i := 0; i < len(hostname); i++ {
		if hostname[i] == '.' {
			if s := r.suffixes[hostname[i:]]; s != nil {
				return s
			}
		}
	}
	return r.any
}
