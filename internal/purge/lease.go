package purge

import "github.com/rescind-edge/rescind/internal/field"

// Lease holds back the sweeper from dropping marks that a fetch under way can
// still need.
type Lease struct {
	service *Service
	stamp   field.Position
}

// Begin takes the stamp of a fetch, before its request leaves for the origin.
// The lease must be ended once what was fetched is stored or thrown away.
func (s *Service) Begin() Lease {
	s.leases.Lock()
	defer s.leases.Unlock()
	if s.leases.held == nil {
		s.leases.held = make(map[field.Position]int)
	}
	stamp := s.Position()
	s.leases.held[stamp]++
	return Lease{service: s, stamp: stamp}
}

// Stamp returns the position at which the fetch began.
func (l Lease) Stamp() field.Position { return l.stamp }

// End gives the lease back.
func (l Lease) End() {
	s := l.service
	s.leases.Lock()
	defer s.leases.Unlock()
	if s.leases.held[l.stamp]--; s.leases.held[l.stamp] == 0 {
		delete(s.leases.held, l.stamp)
	}
}

// floor returns the position that no object can be stored with a lesser stamp
// than, from now on.
func (s *Service) floor() field.Position {
	s.leases.Lock()
	defer s.leases.Unlock()
	floor := s.Position()
	for p := range s.leases.held {
		floor = min(floor, p)
	}
	return floor
}
