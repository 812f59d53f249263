package proxy

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
)

// routes finds the service of a host: the exact domain, else the longest
// wildcard suffix, else the catch-all.
type routes struct {
	exact    map[string]*Service
	suffixes map[string]*Service // ".shop.example" for "*.shop.example"
	any      *Service

	// recent remembers where the last hosts led, as clients write them: most
	// requests are for a few. Who asks for many makes it forget, no more.
	recent [recentRoutes]atomic.Pointer[route]
	seed   maphash.Seed
}

// recentRoutes bounds what is remembered: some 500 bytes each at the most.
const recentRoutes = 256

// route is where a host leads.
type route struct {
	scheme, asked string // as the client sent it
	host          string // in its normal form
	service       *Service
}

// locate finds the service of a host that a client names.
func (r *routes) locate(scheme, asked string) (host string, service *Service, is location) {
	slot := &r.recent[maphash.String(r.seed, asked)%recentRoutes]
	if known := slot.Load(); known != nil && known.asked == asked && known.scheme == scheme {
		return known.host, known.service, located
	}
	host, ok := field.NormalHost(scheme, asked)
	switch {
	case !ok && asked == "":
		return "", nil, noHost
	case !ok:
		return "", nil, badHost
	}
	if service = r.match(field.Hostname(host)); service == nil {
		return host, nil, unknownHost
	}
	slot.Store(&route{strings.Clone(scheme), strings.Clone(asked), strings.Clone(host), service})
	return host, service, located
}

func newRoutes(services []*Service) *routes {
	r := &routes{exact: make(map[string]*Service), suffixes: make(map[string]*Service), seed: maphash.MakeSeed()}
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
