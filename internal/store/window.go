package store

import "context"

// Window makes the body keep only its last n bytes: what outgrew the store is
// streamed. Readers further behind than that get ErrFellBehind.
func (b *Body) Window(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.window = max(n, 1)
	b.slideLocked()
	b.wakeLocked()
}

// slideLocked drops whole chunks behind the window. It drops nothing that the
// fastest reader has not had: chunks are as large as a small window, so a writer
// that waited for that reader may still have gone a whole chunk further.
func (b *Body) slideLocked() {
	if b.mu.window == 0 {
		return
	}
	drop := b.mu.size - b.mu.window
	if fastest := b.fastestLocked(); fastest >= 0 {
		drop = min(drop, fastest)
	}
	for len(b.mu.chunks) > 1 {
		c := b.mu.chunks[0]
		n := int64(len(c.data))
		if b.mu.first+n > drop {
			break
		}
		c.drop(b.room)
		b.mu.chunks[0] = nil
		b.mu.chunks = b.mu.chunks[1:]
		b.mu.first += n
	}
}

// fastestLocked returns the offset of the fastest reader, -1 without any.
func (b *Body) fastestLocked() int64 {
	fastest := int64(-1)
	for _, r := range b.mu.readers {
		fastest = max(fastest, r.pos)
	}
	return fastest
}

// WaitReader waits, for a windowed body, until its fastest reader is close
// enough for more to be written. It returns ErrAbandoned where there is none,
// or the context's error.
func (b *Body) WaitReader(ctx context.Context) error {
	for {
		b.mu.Lock()
		if b.mu.window == 0 {
			b.mu.Unlock()
			return nil
		}
		fastest := b.fastestLocked()
		if fastest < 0 {
			b.mu.Unlock()
			return ErrAbandoned
		}
		if b.mu.size-fastest < b.mu.window {
			b.mu.Unlock()
			return nil
		}
		wake := b.waitLocked()
		b.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
