package api

// Paths of the native API. A purge's own path is PathPurges + "/" + its id.
const (
	PathPurges   = "/v1/purges" // POST: purge; GET: recent receipts, newest first
	PathStatus   = "/v1/status" // GET: Status
	RevertSuffix = "/revert"    // POST PathPurges/{id}/revert: undo
)

// HeaderToken carries a token where a client cannot send Authorization: Bearer.
const HeaderToken = "Fastly-Key"

// Content types of answers.
const (
	ContentType        = "application/json"
	ProblemContentType = "application/problem+json" // RFC 9457 section 3
)

// QueryLimit is the parameter of GET PathPurges that bounds how many receipts
// are listed: 1 to MaxListed, DefaultListed where it is absent.
const QueryLimit = "limit"

// Bounds of one listing.
const (
	DefaultListed = 50
	MaxListed     = 1000 // some 500 KiB of JSON; who needs more reads the log
)
