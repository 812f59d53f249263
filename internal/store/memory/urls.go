package memory

import (
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// urls finds records by the tag of their URL, so that the count of a URL purge
// is exact. One tag may have many: variants, schemes, and spellings of the URL
// that have keys of their own. A bucket leads to a list of them in no order,
// among others that share it; it is linked both ways, so that one leaves a long
// list as quickly as a short one.
//
// No look-up comes here, and Put and removal stay a few tens of nanoseconds.
type urls struct {
	slots
	parts []urlPart
}

type urlPart struct {
	mu struct {
		sync.Mutex
		buckets
	}
}

func urlHash(tag field.Tag) uint64 { return spread(uint64(tag)) }

// tagOf returns the tag of a record's URL; without tags it has none.
func tagOf(r *record) (tag field.Tag, ok bool) {
	if r.head().NumTags() == 0 {
		return 0, false
	}
	return r.head().Tag(0), true
}

func (u *urls) part(hash uint64) *urlPart { return &u.parts[hash&uint64(len(u.parts)-1)] }

// link adds r. It tells whether the part wants another segment.
func (u *urls) link(r *record) (full bool) {
	tag, ok := tagOf(r)
	if !ok {
		return false
	}
	hash := urlHash(tag)
	p := u.part(hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	u.pushLocked(p.mu.of(hash), r)
	p.mu.entries++
	if p.mu.crowded(urlBuckets) && !p.mu.full() {
		u.splitLocked(p)
	}
	return p.mu.crowded(urlBuckets) && p.mu.full()
}

// urlBuckets is how many buckets there are to a record. No look-up comes here.
const urlBuckets = 1

func (u *urls) pushLocked(begin *slab.Ref, r *record) {
	r.left, r.right = 0, *begin
	if right := u.at(r.right); right != nil {
		right.left = r.self
	}
	*begin = r.self
}

// unlink takes out r, which link was called with.
func (u *urls) unlink(r *record) {
	tag, ok := tagOf(r)
	if !ok {
		return
	}
	hash := urlHash(tag)
	p := u.part(hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	if right := u.at(r.right); right != nil {
		right.left = r.left
	}
	if left := u.at(r.left); left != nil {
		left.right = r.right
	} else {
		*p.mu.of(hash) = r.right
	}
	r.left, r.right = 0, 0
	p.mu.entries--
}

// splitLocked adds a bucket.
func (u *urls) splitLocked(p *urlPart) {
	old, added := p.mu.grow()
	r := u.at(*p.mu.at(old))
	*p.mu.at(old), *p.mu.at(added) = 0, 0
	for r != nil {
		right := u.at(r.right)
		tag, _ := tagOf(r)
		u.pushLocked(p.mu.of(urlHash(tag)), r)
		r = right
	}
}

// list returns the records of tag, retained. It copies them, so that nothing is
// called under the lock; however many there are, only Put and removal can wait
// for it.
func (u *urls) list(tag field.Tag) (list []*record) {
	hash := urlHash(tag)
	p := u.part(hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.n == 0 {
		return nil
	}
	for r := u.at(*p.mu.of(hash)); r != nil; r = u.at(r.right) {
		if at, _ := tagOf(r); at == tag {
			r.Retain()
			list = append(list, r)
		}
	}
	return list
}
