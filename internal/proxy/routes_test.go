package proxy

import (
	"fmt"
	"testing"
	"unsafe"
)

// Where a host leads does not depend on who asked before, nor on what becomes of
// the memory that a name was read into.
func TestHostsLeadToTheirServices(t *testing.T) {
	shop, any := &Service{ID: "shop", Domains: []string{"shop.example", "*.shop.example"}}, &Service{ID: "any", Domains: []string{"*"}}
	r := newRoutes([]*Service{shop, any})
	for round := range 3 {
		for _, tc := range []struct {
			scheme, asked, host string
			service             *Service
			is                  location
		}{
			{"http", "shop.example", "shop.example", shop, located},
			{"http", "SHOP.example:80", "shop.example", shop, located},
			{"https", "SHOP.example:80", "shop.example:80", shop, located},
			{"http", "a.shop.example.", "a.shop.example", shop, located},
			{"http", "other.example:8080", "other.example:8080", any, located},
			{"http", "", "", nil, noHost},
			{"http", "a b", "", nil, badHost},
		} {
			buffer := []byte(tc.asked)
			host, service, is := r.locate(tc.scheme, unsafe.String(unsafe.SliceData(buffer), len(buffer)))
			if host != tc.host || service != tc.service || is != tc.is {
				t.Errorf("%s %q leads to %q, %v, %v", tc.scheme, tc.asked, host, service, is)
			}
			for i := range buffer {
				buffer[i] = byte('a' + round)
			}
		}
	}
}

// More hosts than are remembered are found all the same, and so is none.
func TestMoreHostsThanAreRemembered(t *testing.T) {
	s := &Service{ID: "shop", Domains: []string{"*.shop.example"}}
	r := newRoutes([]*Service{s})
	for range 2 {
		for i := range 4 * recentRoutes {
			asked := fmt.Sprintf("h%d.shop.example", i)
			if host, service, is := r.locate("http", asked); host != asked || service != s || is != located {
				t.Fatalf("%q leads to %q, %v, %v", asked, host, service, is)
			}
		}
		if _, service, is := r.locate("http", "elsewhere.example"); service != nil || is != unknownHost {
			t.Errorf("%v, %v", service, is)
		}
	}
}
