package api

import "time"

// Top is the answer to GET PathTop: what the node is busy with.
type Top struct {
	Node   string    `json:"node"`
	Time   time.Time `json:"time"`
	Window Duration  `json:"window"` // that the rates below are averages over

	Rates Rates `json:"rates"`
	URLs  []Hot `json:"urls"` // hottest first
	Keys  []Hot `json:"keys"` // surrogate keys of what was served, hottest first
}

// Rates are averages a second over Top.Window.
type Rates struct {
	Requests       float64 `json:"requests"`
	Hits           float64 `json:"hits"` // fresh
	Stale          float64 `json:"stale"`
	Misses         float64 `json:"misses"`
	Passes         float64 `json:"passes"`
	Errors         float64 `json:"errors"`
	OriginRequests float64 `json:"origin_requests"`
	Purges         float64 `json:"purges"`
	Bytes          float64 `json:"bytes"` // of bodies sent to clients
}

// HitRatio returns the part of the requests that was answered from the store,
// from 0 to 1; 0 where there was none.
func (r Rates) HitRatio() float64 {
	if r.Requests == 0 {
		return 0
	}
	return (r.Hits + r.Stale) / r.Requests
}

// Hot is a URL or a surrogate key with much traffic. Its rate is an estimate,
// too high rather than too low.
type Hot struct {
	Service string  `json:"service"`
	Name    string  `json:"name"`
	Rate    float64 `json:"rate"` // requests a second
}

// Missed is a line of GET PathLog that stands for lines left out because the
// reader was too slow.
type Missed struct {
	Missed uint64 `json:"missed"` // how many, since the line before
}
