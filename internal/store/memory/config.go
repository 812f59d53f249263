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

	// defaultShards keeps two look-ups on different keys from meeting on one
	// lock: with 256 shards and 32 running goroutines one in nine meets another
	// at worst. An empty shard costs about 100 bytes.
	defaultShards = 256
	mostShards    = 1 << 16
)

// Config says how large a Store may become.
type Config struct {
	// Budget is the most bytes in use: objects, their bodies, and bodies that
	// are filling or still being read. With 0 or less nothing is stored. One
	// reservation gets at most half of it, and a body grows by chunks of up to
	// 64 KiB, so less than 128 KiB holds small bodies only.
	Budget int64

	// MaxVariants is the most objects of one key; past it the oldest leaves.
	// 0 or less: 64.
	MaxVariants int

	// Shards is the number of parts of the table, each with its own lock,
	// rounded up to a power of two of at most 65,536. 0 or less: 256.
	Shards int

	// Now returns the present in nanoseconds of Unix time. Only eviction asks,
	// to tell which objects are past every use. nil: the system's clock.
	Now func() int64
}

func (c Config) withDefaults() Config {
	c.Budget = max(c.Budget, 0)
	if c.MaxVariants <= 0 {
		c.MaxVariants = defaultVariants
	}
	if c.Shards <= 0 {
		c.Shards = defaultShards
	}
	c.Shards = 1 << bits.Len(uint(min(c.Shards, mostShards)-1))
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixNano() }
	}
	return c
}
