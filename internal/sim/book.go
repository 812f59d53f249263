package sim

import (
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
)

// promise is a purge that was answered with success, and what clients were told of
// it.
type promise struct {
	control.Receipt
	number  int
	issuer  *host
	from    int64 // tick before the call
	pages   []bool
	alive   []string // whom the issuer saw alive before the call
	wipes   int      // of disks, before the call
	reverts int      // attempts to take it back that may have come to something

	// told are the nodes of which the issuer said that they have applied it,
	// itself included, and since which tick.
	told map[*host]int64
	// owed are those whose disk must have it.
	owed map[*host]bool
	// lost says that every disk that had it is lost, as promise 5 allows.
	lost bool
	// many is since when a majority has had it on disk without a break; zero: it
	// has not.
	many time.Time
}

// hardAt tells whether the purge must keep a page's older objects from being
// used.
func (p *promise) hardAt(number int) bool {
	return p.pages[number] && p.reverts == 0 && !p.lost && p.Effect.Normal().Mode == 0
}

// pass is a token that was created with success.
type pass struct {
	id, secret string
	name       string
	creator    *host
	lossy      bool // the disk of who made or revoked it was lost since
	revoking   bool // somebody tried
	revoker    *host
	revoked    bool // with success
}

// knows tells whether a vector has an entry.
func knows(v journal.Vector, id journal.ID) bool {
	row, ok := v[id.Incarnation]
	return ok && row.Knows(id.Seq)
}
