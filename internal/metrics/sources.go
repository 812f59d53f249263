package metrics

// Sources read what other packages count. Each function is called when metrics
// are read, from any goroutine, must be quick and waits for nobody. One that is
// nil has nothing to show. What is documented as a counter only grows while the
// process runs, or begins at 0 again, as with a service that a reload changed.
type Sources struct {
	Services    func() []Service
	Store       func() Store
	Purges      func() Purges
	Connections func() Connections
	Logs        func() []Log
	Journal     func() Journal
	Cluster     func() Cluster // nil: the node is alone
	Edges       func() Edges   // nil: nobody gets anything here
}

// Service is what the fetches of a service count.
type Service struct {
	ID          string
	Fetches     uint64 // requests sent to the origin
	Collapsed   uint64 // requests that shared another's fetch
	Refreshes   uint64 // fetches in the background
	Renewed     uint64 // 304 answers that renewed an object
	Discarded   uint64 // 304 answers whose object a purge withdrew meanwhile
	Abandoned   uint64 // fetches given up because nobody read any more
	IgnoredKeys uint64 // surrogate keys beyond the limits of their header
	Backends    []Backend
	Shield      *Shield // nil: the service has none
}

// Shield is what a service's requests through its shield count, on an edge.
type Shield struct {
	Answers  map[string]uint64 // of shields, by how they came by them: a fixed set of words
	Direct   map[string]uint64 // requests past the shield, by why: likewise
	Failures uint64            // attempts at a shield that got no answer
}

// Edges is what a shield counts of the requests of edges that look something up.
type Edges struct{ Covered, CaughtUp, Behind, Failed uint64 }

// Backend is one address of an origin.
type Backend struct {
	Origin      string // URL, as configured
	Address     string // "ip:port"; empty where the name has not resolved
	Up          bool   // it gets requests
	InFlight    int    // exchanges in progress
	Waiting     int    // requests that wait for a connection
	Connections int    // open, idle ones included
	Exchanges   uint64 // that ended
	Failures    uint64 // of these, those that blame the backend
}

// Store is what the store counts.
type Store struct {
	Objects int64             // stored now
	Bytes   int64             // in use now
	Budget  int64             // most bytes in use
	Stored  uint64            // objects put in
	Refused uint64            // objects and chunks for which there was no room
	Gone    map[string]uint64 // objects that left, by why: a fixed set of words
}

// Purges is what the purge engine, the sweeper and control count.
type Purges struct {
	Marks         int64  // tags that have a mark
	MarkBytes     int64  // in use for marks
	MarkBudget    int64  // bytes past which marks fold; 0: not shown
	Folded        uint64 // entries folded for want of space
	Sweeps        uint64 // passes of the sweeper
	Dropped       uint64 // purges whose marks the sweeper dropped
	Invalidations uint64 // purges that the node made after unsafe methods
}

// Connections is what the listeners of the sites count.
type Connections struct {
	Open              int
	Accepted          uint64
	HandshakeFailures uint64
	HTTP1Requests     uint64
	HTTP2Requests     uint64
}

// Log is one output of the logs.
type Log struct {
	Name      string // names it among the outputs; of two with one name the first is shown
	Delivered uint64 // lines that left
	Dropped   uint64 // lines that were lost
}
