package config

import "time"

// The limits of the products whose clients purge here: one hundred thousand
// single and key purges an hour, averaged, and a thousand calls of other kinds.
const (
	defaultPurges    = 100_000
	defaultPurgeAlls = 1_000

	defaultURIs = 100 // StackPath's own
)

// defaultService returns a service with what a file need not say. c has storage
// and limits already.
func defaultService(c *Config) Service {
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
			Groups:            true,
			Compress:          Compress{MinSize: 1 << 10},
			MaxObject:         min(64<<20, c.Storage.Memory/2),
		},
		Purge: Purge{
			AllowFrom:  loopback(),
			Dialect:    DialectFastly,
			UndoWindow: 60 * time.Second,
			Limits:     PurgeLimits{PerHour: defaultPurges, AllPerHour: defaultPurgeAlls},
		},
		BodyBytes:   c.Limits.BodyBytes,
		DebugFrom:   loopback(),
		CacheStatus: true,
	}
}
