package api

// Paths of the native API. A purge's own path is PathPurges + "/" + its id, a
// token's PathTokens + "/" + its id.
const (
	PathPurges   = "/v1/purges"   // POST: purge; GET: recent receipts, newest first
	RevertSuffix = "/revert"      // POST PathPurges/{id}/revert: undo
	PathServices = "/v1/services" // GET: Services
	PathStatus   = "/v1/status"   // GET: Status
	PathExplain  = "/v1/explain"  // GET: Explanation
	PathTokens   = "/v1/tokens"   // POST: create; GET: Tokens; DELETE PathTokens/{id}: revoke
	PathLog      = "/v1/log"      // GET: a stream of lines, as requests end
	PathTop      = "/v1/top"      // GET: Top
)

// HeaderToken carries a token where a client cannot send Authorization: Bearer.
const HeaderToken = "Fastly-Key"

// Header fields that make a purge safe to repeat. A POST to PathPurges with an
// Idempotency-Key (1 to MaxIdempotencyKeyBytes bytes of printable ASCII) that
// the same caller has used within IdempotencyHours purges nothing: the answer is
// the receipt of the first, with Idempotent-Replay: true. With another body it
// is a Problem with status 422.
const (
	HeaderIdempotencyKey   = "Idempotency-Key"
	HeaderIdempotentReplay = "Idempotent-Replay"

	MaxIdempotencyKeyBytes = 255
	IdempotencyHours       = 24
)

// Content types of answers.
const (
	ContentType        = "application/json"
	ProblemContentType = "application/problem+json" // RFC 9457 section 3
	LinesContentType   = "application/x-ndjson"     // one JSON object a line
)

// Parameters of queries.
const (
	// QueryLimit bounds how many receipts GET PathPurges lists: 1 to MaxListed,
	// DefaultListed where it is absent; and how many names of each kind GET
	// PathTop lists: 1 to MaxTop, DefaultTop where it is absent.
	QueryLimit = "limit"
	// QueryURL is the URL that GET PathExplain is about: absolute, or without a
	// scheme, which looks at both.
	QueryURL = "url"
	// QueryHeader adds a field to the request that GET PathExplain imagines, as
	// "Name:value"; it may be repeated, up to MaxExplainHeaders times.
	QueryHeader = "header"
	// QueryFilter selects the lines of GET PathLog; absent: all.
	QueryFilter = "filter"
)

// Bounds of one answer or question.
const (
	DefaultListed = 50
	MaxListed     = 1000 // some 500 KiB of JSON; who needs more reads the log

	DefaultTop = 10
	MaxTop     = 100 // more than anybody watches

	MaxExplainHeaders = 64 // a browser sends about 20
)
