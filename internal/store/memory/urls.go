package memory

import (
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
)

// urls finds entries by the tag of their URL, so that the count of a URL purge
// is exact. One tag may have many entries: variants, schemes, and spellings of
// the URL that have keys of their own; they form a list in no order.
//
// A tag is a keyed hash, so its low bits choose the part.
type urls struct {
	parts [urlParts]urlPart
}

// urlParts keeps what is put in at once from meeting on one lock; no look-up
// comes here, so fewer than the table's shards are enough.
const urlParts = 64

type urlPart struct {
	mu struct {
		sync.Mutex
		lists map[field.Tag]*entry
	}
}

func newURLs() *urls {
	u := new(urls)
	for i := range u.parts {
		u.parts[i].mu.lists = make(map[field.Tag]*entry)
	}
	return u
}

func (u *urls) part(tag field.Tag) *urlPart { return &u.parts[tag%urlParts] }

// link adds e; without tags it has no URL and is not listed.
func (u *urls) link(e *entry) {
	if e.object.Head.NumTags() == 0 {
		return
	}
	tag := e.object.Head.Tag(0)
	p := u.part(tag)
	p.mu.Lock()
	defer p.mu.Unlock()
	e.right = p.mu.lists[tag]
	if e.right != nil {
		e.right.left = e
	}
	p.mu.lists[tag] = e
}

// unlink takes out e, which link was called with.
func (u *urls) unlink(e *entry) {
	if e.object.Head.NumTags() == 0 {
		return
	}
	tag := e.object.Head.Tag(0)
	p := u.part(tag)
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.right != nil {
		e.right.left = e.left
	}
	switch {
	case e.left != nil:
		e.left.right = e.right
	case e.right != nil:
		p.mu.lists[tag] = e.right
	default:
		delete(p.mu.lists, tag)
	}
	e.left, e.right = nil, nil
}

// list returns the entries of tag. It copies them, so that nothing is called
// under the lock; however many there are, only Put and removal can wait for it.
func (u *urls) list(tag field.Tag) []*entry {
	p := u.part(tag)
	p.mu.Lock()
	defer p.mu.Unlock()
	var entries []*entry
	for e := p.mu.lists[tag]; e != nil; e = e.right {
		entries = append(entries, e)
	}
	return entries
}
