package config

import "time"

// defaultService returns a service with what a file need not say.
func defaultService(storage Storage) Service {
	return Service{
		Pool: Pool{
			ConnectTimeout:   3 * time.Second,
			FirstByteTimeout: 60 * time.Second,
			IdleTimeout:      60 * time.Second,
			MaxConnections:   256,
			Retries:          1,
			ResolveInterval:  30 * time.Second,
			Health: Health{
				Interval:     5 * time.Second,
				Timeout:      2 * time.Second,
				Healthy:      2,
				Unhealthy:    3,
				ExpectStatus: 200,
			},
			Passive: Passive{Failures: 5, EjectFor: 10 * time.Second},
		},
		Cache: Cache{
			Keep:              time.Hour,
			HitForMiss:        120 * time.Second,
			Query:             Query{Mode: QueryAll},
			SetCookie:         SetCookieRefuse,
			RequestDirectives: DirectivesIgnore,
			AcceptEncoding:    EncodingNormalize,
			MaxObject:         min(64<<20, storage.Memory/2),
		},
		Purge:       Purge{AllowFrom: loopback(), UndoWindow: 60 * time.Second},
		DebugFrom:   loopback(),
		CacheStatus: true,
	}
}
