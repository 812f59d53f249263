package spread

import "time"

// bucket holds a rate. It may be overdrawn by one packet to all, so that no
// number of receivers is too great for it.
type bucket struct {
	rate   float64 // bytes a nanosecond
	burst  float64 // bytes
	tokens float64
	at     time.Duration
}

// burstTime is how much of a second's bytes may leave at once: an eighth of a
// second would overrun the receivers' socket buffers at any rate worth having.
const burstTime = 20 * time.Millisecond

// minBurst is the least burst: one packet to each of a thousand members.
const minBurst = 1200 * 1000

func newBucket(bytesPerSecond int) bucket {
	rate := float64(bytesPerSecond) / float64(time.Second)
	burst := max(rate*float64(burstTime), minBurst)
	return bucket{rate: rate, burst: burst, tokens: burst}
}

func (b *bucket) fill(now time.Duration) {
	if now > b.at {
		b.tokens = min(b.burst, b.tokens+float64(now-b.at)*b.rate)
		b.at = now
	}
}

// ready returns the instant at which something may be sent: now, or later.
func (b *bucket) ready(now time.Duration) time.Duration {
	b.fill(now)
	if b.tokens >= 0 {
		return now
	}
	return now + time.Duration(-b.tokens/b.rate) + time.Microsecond
}

// take spends bytes.
func (b *bucket) take(now time.Duration, n int) {
	b.fill(now)
	b.tokens -= float64(n)
}
