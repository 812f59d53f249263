package memory

import (
	"math/bits"
	"time"
)

const (
	// defaultVariants bounds the variants of one key. A look-up compares them
	// one by one under a lock, about 50 ns each, and a Vary on a field that
	// clients choose would otherwise let one URL fill the store. Responses that
	// vary by encoding and language stay well below.
	defaultVariants = 64

	// mostShards keeps two look-ups on different keys from meeting on one lock:
	// with 1,024 shards and 32 running goroutines one in thirty meets another at
	// worst. A smaller budget has fewer, one for each perShard bytes of it, as
	// two segments of index come with each.
	mostShards = 1 << 10
	perShard   = 1 << 20
)

// Config says how large a Store may become.
type Config struct {
	// Budget is the most bytes in use: objects, their bodies, bodies that are
	// filling or still being read, the index that finds them, and what lies
	// unused between them. With 0 or less nothing is stored, and with less than
	// 64 KiB little. Head and fixed parts of an object lie in one piece of at
	// most a 512th of the budget, between 4 KiB and 1 MiB; what has a larger
	// head is refused.
	Budget int64

	// MaxVariants is the most objects of one key; past it the oldest leaves.
	// 0 or less: 64.
	MaxVariants int

	// Shards is the number of parts of the table, each with its own lock,
	// rounded up to a power of two, and down to one for each 16 KiB of the
	// budget. 0 or less: one for each MiB, at most 1,024.
	Shards int

	// Now returns the present in nanoseconds of Unix time. Only eviction asks,
	// to tell which objects are past every use. nil: the system's clock.
	Now func() int64

	// Poison overwrites memory that becomes free, so that whoever uses an
	// object after its release finds out at once. For tests; under the race
	// detector it is always on.
	Poison bool
}

func (c Config) withDefaults() Config {
	c.Budget = max(c.Budget, 0)
	if c.MaxVariants <= 0 {
		c.MaxVariants = defaultVariants
	}
	if c.Shards <= 0 {
		c.Shards = int(min(c.Budget/perShard, mostShards))
	}
	c.Shards = min(c.Shards, int(c.Budget/(16*segmentBytes)))
	c.Shards = 1 << bits.Len(uint(max(c.Shards, 1)-1))
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixNano() }
	}
	return c
}
