package origin

import "time"

// OriginStatus is what a pool knows of one backend, or of an origin whose name
// has no address yet.
type OriginStatus struct {
	URL          string    // as configured
	Address      string    // "ip:port"; empty: the name has not resolved yet
	State        State     // StateDown where there is no address
	Why          string    // the last failure that counted; empty when healthy
	LookupError  string    // why the last look-up of the name failed; empty: it did not
	EjectedUntil time.Time // zero unless ejected

	InFlight    int    // exchanges in progress
	Waiting     int    // requests that wait for a connection
	Connections int    // open, idle ones included
	Exchanges   uint64 // that ended since the address appeared
	Failures    uint64 // of these, those that blame the backend
}

// Status describes every backend, in the order of the configuration and of
// addresses.
func (p *Pool) Status() []OriginStatus {
	var all []OriginStatus
	for _, u := range p.origins {
		lookupError := ""
		if err := u.lookupError(); err != nil {
			lookupError = err.Error()
		}
		backends := u.current()
		if len(backends) == 0 {
			all = append(all, OriginStatus{
				URL: u.endpoint.url, State: StateDown, Why: "the name has no address yet", LookupError: lookupError,
			})
		}
		for _, b := range backends {
			s := b.status(time.Now())
			s.LookupError = lookupError
			all = append(all, s)
		}
	}
	return all
}

func (b *backend) status(now time.Time) OriginStatus {
	v := b.health.verdict(now)
	return OriginStatus{
		URL: b.endpoint.url, Address: b.address,
		State: v.State, Why: v.Why, EjectedUntil: v.EjectedUntil,
		InFlight: len(b.slots), Waiting: int(b.waiting.Load()), Connections: int(b.conns.Load()),
		Exchanges: b.total.Load(), Failures: b.failures.Load(),
	}
}
