package config

import "time"

// Cache says what of a service is stored and for how long, where responses and
// standards leave it open.
type Cache struct {
	DefaultTTL           time.Duration         // freshness where the response gives none; default 0: by heuristics only
	MaxTTL               time.Duration         // most freshness of any response; default 0: no limit
	NegativeTTL          map[int]time.Duration // freshness by status, where the response gives none
	StaleWhileRevalidate time.Duration         // where the response does not say; default 0
	StaleIfError         time.Duration         // where the response does not say; default 0
	Keep                 time.Duration         // how much longer it is kept for revalidation; default 1h
	HitForMiss           time.Duration         // for how long an uncacheable answer is remembered; default 120s

	Query             Query
	SetCookie         SetCookie         // default refuse
	RequestDirectives RequestDirectives // default ignore
	AcceptEncoding    AcceptEncoding    // default normalize

	Groups bool // Cache-Groups and Cache-Group-Invalidation (RFC 9875) count; where several parties share a host, each can invalidate what the others send; default true

	Compress Compress

	MaxObject           Size // largest body stored; default 64MiB, or half the memory where that is less
	StoreCloseDelimited bool // also store bodies whose end only the connection's end shows: cut ones look the same
}

// Compress says which responses are compressed on their way to clients that
// accept it, where the origin did not.
type Compress struct {
	// Encodings are offered to clients that accept them, the first that a client
	// likes as much as any other; default: zstd, br, gzip where there is a section; empty:
	// nothing is compressed. That is the default without the section, because a
	// page that shows a secret beside what a client sent tells it by its length
	Encodings []Encoding
	MinSize   Size     // of a body; smaller ones stay as they are; default 1KiB
	Types     []string // media types in lower case: "type/subtype", "type/*" or "+suffix"; empty: text and what else usually shrinks
}

// Encoding is a content coding (RFC 9110 section 8.4.1).
type Encoding string

// The content codings.
const (
	EncodingZstd   Encoding = "zstd"
	EncodingBrotli Encoding = "br"
	EncodingGzip   Encoding = "gzip"
)

// Query says which part of a query tells resources apart.
type Query struct {
	Mode  QueryMode // default all
	Names []string  // of QueryInclude and QueryExclude; "*" at the end matches any rest
}

// QueryMode is a treatment of queries in cache keys.
type QueryMode string

// The treatments of queries.
const (
	QueryAll     QueryMode = "all"     // as it was sent
	QuerySorted  QueryMode = "sorted"  // the same parameters in any order are one resource
	QueryIgnore  QueryMode = "ignore"  // no part of the key
	QueryInclude QueryMode = "include" // only the named parameters
	QueryExclude QueryMode = "exclude" // all but the named parameters
)

// SetCookie is what becomes of a response that sets cookies.
type SetCookie string

// What can become of a response that sets cookies.
const (
	SetCookieRefuse SetCookie = "refuse" // it is not stored
	SetCookieStrip  SetCookie = "strip"  // it is stored and delivered without the cookies
	SetCookieStore  SetCookie = "store"  // it is stored with them: everybody gets the same cookies
)

// RequestDirectives is the meaning of a client's Cache-Control.
type RequestDirectives string

// The meanings of a client's Cache-Control.
const (
	DirectivesIgnore RequestDirectives = "ignore"
	DirectivesObey   RequestDirectives = "obey"
)

// AcceptEncoding is the treatment of a request's Accept-Encoding.
type AcceptEncoding string

// The treatments of Accept-Encoding.
const (
	EncodingNormalize AcceptEncoding = "normalize" // to one of a few values, so that variants stay few
	EncodingPass      AcceptEncoding = "pass"      // as it was sent
)
