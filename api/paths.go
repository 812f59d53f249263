package api

// Paths of the native API. A purge's own path is PathPurges + "/" + its id, a
// token's PathTokens + "/" + its id, a member's PathMembers + "/" + its name.
const (
	PathPurges   = "/v1/purges"   // POST: purge; GET: recent receipts, newest first
	RevertSuffix = "/revert"      // POST PathPurges/{id}/revert: undo
	PathServices = "/v1/services" // GET: Services
	PathStatus   = "/v1/status"   // GET: Status
	PathExplain  = "/v1/explain"  // GET: Explanation
	PathTokens   = "/v1/tokens"   // POST: create; GET: Tokens; DELETE PathTokens/{id}: revoke
	PathLog      = "/v1/log"      // GET: a stream of lines, as requests end
	PathTop      = "/v1/top"      // GET: Top

	PathMembers = "/v1/cluster/members" // GET: Cluster; DELETE PathMembers/{name}: forget one that will not come back
	PathKeys    = "/v1/cluster/keys"    // GET: ClusterKeys
	PathLeave   = "/v1/cluster/leave"   // POST: the node leaves the cluster; ClusterStatus
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

// Header fields for waiting. On every purge API a request may ask with
// HeaderWait for the confirmation of other members, a WaitLevel, for at most
// HeaderWaitTimeout ("5s"); where the query of the URL is the API's own, also
// with QueryWait and QueryTimeout. The answer then has HeaderConfirmed with the
// level, or HeaderMissing with the names of members that had not confirmed when
// the time was over. A client that leaves ends its waiting and not the purge.
// A node with cluster.durable_on: 2 waits for one other member in any case.
const (
	HeaderWait        = "Rescind-Wait"
	HeaderWaitTimeout = "Rescind-Wait-Timeout"
	HeaderConfirmed   = "Rescind-Confirmed"
	HeaderMissing     = "Rescind-Missing"
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
	// QueryWait is the WaitLevel of a purge, of a revert and of a change of a token,
	// WaitNone where it is absent.
	QueryWait = "wait"
	// QueryTimeout is for how long to wait at most, such as "5s"; absent, or more
	// than the node's cluster.wait_at_most: as long as that.
	QueryTimeout = "timeout"
)

// Bounds of one answer or question.
const (
	DefaultListed = 50
	MaxListed     = 1000 // some 500 KiB of JSON; who needs more reads the log

	DefaultTop = 10
	MaxTop     = 100 // more than anybody watches

	MaxExplainHeaders = 64 // a browser sends about 20
)
