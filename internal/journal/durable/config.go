package durable

import (
	"crypto/rand"
	"errors"
	"io"
	"math"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// Reserve is how many positions are reserved at once: an hour's at 5,000
// entries a second. A start skips at most twice as many, of 2^64.
const Reserve = 1 << 24

// maxPending bounds the records in bytes that wait for a disk that does not
// take them. Past it they are dropped, and once the disk works again all that
// is kept is written anew.
const maxPending = 32 << 20

// Config of a Journal. The zero value is a journal in memory.
type Config struct {
	// FS is the directory; nil: in memory, nothing outlives the process, and
	// everything counts as durable at once.
	FS vfs.FS
	// Owner says who uses the directory, for the message to another process
	// that wants to; for example name and process id.
	Owner string
	// Limits of what is kept for others; see journal.Limits.
	Limits journal.Limits
	// Items says which items of the replicated state an entry makes or removes,
	// nil for none. It must be pure: it is called again for entries that are
	// read back. nil: none.
	Items func(*journal.Entry) []state.Item
	// Snapshots says that the caller's effects are on disk as well, by
	// SaveSnapshot, and not rebuilt from what is kept: then no entry goes from
	// the disk before a snapshot has its effect.
	Snapshots bool
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Random is a source of random bytes; nil: crypto/rand.
	Random io.Reader
}

func (c *Config) complete() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Items == nil {
		c.Items = func(*journal.Entry) []state.Item { return nil }
	}
}

// Step is one thing that takes effect at a position. Steps come in the order
// of their positions. A step with neither an entry nor a gap says what of the
// state a peer's state has changed; it has the position of the step before it.
type Step struct {
	Position field.Position
	// Entry is what is to be carried out; its Kind is 0 if there is none. It
	// shares memory with the journal.
	Entry journal.Entry
	// Outcome is journal.Accepted or journal.Conflict; 0 for a gap.
	Outcome journal.Outcome
	// Gap says that entries are missing for good: whatever was stored before
	// this position is to be dropped.
	Gap bool
	// Adopted says of a gap that nothing is wrong: the node has started with
	// nothing stored, and counts as known what its peers know.
	Adopted bool
	// Own says that this node issued the entry in this run.
	Own bool
	// Arrived is when the entry came to this node, milliseconds of Unix time.
	Arrived int64
	// Changed are the items of the state that the entry, or a peer's state,
	// changed.
	Changed []state.Item
}

// Apply carries out steps. It is called under the journal's lock, so it must be
// quick and must not call the journal; when it returns, the steps are in force. It
// must not keep the slice.
type Apply func([]Step)

// Recovered is what Open found.
type Recovered struct {
	// Node names the directory for as long as it exists: a restart keeps it, a
	// copy of the directory has the same one.
	Node journal.Incarnation
	// New says that the directory, or the memory, was empty: this node has
	// nothing stored that an unknown entry could have withdrawn.
	New bool
	// Start is the last position that may have been used before: everything
	// from now on is above it.
	Start field.Position
	// Snapshot is the caller's latest; it has the effect of all steps up to
	// SnapshotAt. Later ones come by Start.
	Snapshot   []byte
	SnapshotAt field.Position
	Steps      int // to be replayed
	Segments   int // files of the log
	// Torn is how many bytes of a commit that nobody was told about were cut off.
	Torn int
}

const noCeiling = math.MaxUint64

var errNotStarted = errors.New("journal: Start has not been called")
