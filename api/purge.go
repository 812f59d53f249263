package api

// Mode is what a purge does to the objects that it selects.
type Mode string

// The modes of a purge.
const (
	Hard Mode = "hard" // unusable from now on
	Soft Mode = "soft" // stale from now on, still good for revalidation and outages
)

// Purge is the body of POST PathPurges. It names at least one thing to
// withdraw; all that it names is withdrawn at one instant under one id.
type Purge struct {
	// Service is the service's id. It may be empty where every selector names a
	// host, which then says whose content it is, and where there is one service.
	Service string `json:"service,omitempty"`

	URLs  []string `json:"urls,omitempty"`  // "https://host/path", or "//host/path" and "host/path" for both schemes
	Keys  []string `json:"keys,omitempty"`  // surrogate keys: 1 to 1024 bytes of printable ASCII each
	Paths []string `json:"paths,omitempty"` // "/path" or "host/path": that path and all below it
	Hosts []string `json:"hosts,omitempty"` // all of a host, whatever the port
	All   bool     `json:"all,omitempty"`   // everything of the service

	// Headers and Bans select by what is stored of a response. Both look only at
	// what is Under a path, where it is given.
	Headers []Header `json:"headers,omitempty"`
	Bans    []string `json:"bans,omitempty"`  // "obj.status == 404 && req.url ~ ^/api/": conditions as Varnish writes them
	Under   string   `json:"under,omitempty"` // "/path", "host/path" or "host"

	Mode Mode `json:"mode,omitempty"` // empty: Hard

	// Bounds of a soft purge; they can shorten an object's life and never
	// lengthen it. Not allowed with a hard purge.
	TTL   *Duration `json:"ttl,omitempty"`   // fresh for at most this long; absent: 0
	Grace *Duration `json:"grace,omitempty"` // then served stale for at most this long; absent: as the object says
	Keep  *Duration `json:"keep,omitempty"`  // then kept for revalidation for at most this long; absent: as the object says

	// Note is free text for the receipt and the log: why, or who asked.
	Note string `json:"note,omitempty"`
}

// Header selects the responses with a header field, delivered or not, whose
// name and value match. In both "*" stands for any bytes but "/", "?" for one
// character but "/", and a backslash takes the next one for itself.
type Header struct {
	Name      string `json:"name"`                // its case never counts
	Value     string `json:"value,omitempty"`     // empty: any; with "(?i)" before it, case does not count
	Separator string `json:"separator,omitempty"` // the value is a list with this between its elements, each of which is tested
}

// MaxKeys is the most surrogate keys of one purge; more go into several.
const MaxKeys = 256

// MaxNoteBytes bounds Purge.Note: notes are kept with every receipt.
const MaxNoteBytes = 256
