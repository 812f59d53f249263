package app

// ballast is memory that is never touched, so that it costs addresses and no
// memory. Go's collector runs when the heap has doubled, and here the heap is a
// few megabytes, because what is stored lies outside of it: without the ballast
// a node that fills collects every 40 ms, which takes 4 % of a core. With it the
// heap grows by as much as the ballast weighs between two collections, whatever
// else is alive; a large heap is collected as it would be without.
//
// The share is a 32nd of storage.memory, so that a node stays within what its
// operator expects it to take, and at most 64 MiB: beyond that, collections are
// too rare to be noticed.
type ballast []byte

const (
	ballastShare = 32
	maxBallast   = 64 << 20
)

// newBallast returns none where the operator has told the collector what to do.
func newBallast(memory int64, getenv func(string) string) ballast {
	if getenv("GOGC") != "" || getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make(ballast, min(memory/ballastShare, maxBallast))
}
