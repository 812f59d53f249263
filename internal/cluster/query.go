package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// Limits of queries.
const (
	// MaxQuestion and MaxAnswer are the most bytes of a query's body and of each
	// answer: a URL with its header fields, and a status with a page of detail.
	MaxQuestion = 64 << 10
	MaxAnswer   = 1 << 20
	// maxAsked is how many members are asked at a time.
	maxAsked = 32
	// maxAnswering is how many queries of others are answered at a time.
	maxAnswering = 64
)

// Question is a query of another member's.
type Question struct {
	From  string // the asker's name, as it says
	Topic string // what it is about; at most 64 bytes
	Body  []byte
}

// Answer is what a member answered.
type Answer struct {
	Member string
	POP    string
	Body   []byte
	Err    error // wraps ErrAnswer, ErrBusy or ErrNotAlive, or is of the network or context
	Took   time.Duration
}

// To says whom to ask; the zero To is everybody. This node is never asked.
type To struct {
	Member string
	POP    string
}

// ErrTooLarge is returned for a query or an answer above its limit.
var ErrTooLarge = errors.New("a query or answer is too large")

// Query asks live members and returns their answers, in order of name; of a
// member that is not alive, one with an error. The context bounds it; it must
// have a deadline, or what is asked of a member may take half a minute.
func (c *Cluster) Query(ctx context.Context, to To, topic string, body []byte) []Answer {
	var answers []Answer
	v := c.view.Load()
	if to.Member != "" && v.byName(to.Member) == nil {
		return []Answer{{Member: to.Member, Err: fmt.Errorf("%w: %s", ErrNotAlive, to.Member)}}
	}
	var asked []*peer
	for _, p := range v.peers {
		if (to.Member == "" || p.name == to.Member) && (to.POP == "" || p.meta.POP == to.POP) {
			asked = append(asked, p)
			answers = append(answers, Answer{Member: p.name, POP: p.meta.POP})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxAsked)
	for i := range asked {
		slots <- struct{}{}
		wg.Go(func() {
			c.askOne(ctx, asked[i], wire.Query{Topic: topic, Body: body}, &answers[i])
			<-slots
		})
	}
	wg.Wait()
	return answers
}

func (c *Cluster) askOne(ctx context.Context, p *peer, q wire.Query, a *Answer) {
	if len(q.Topic) > wire.MaxTopic || len(q.Body) > MaxQuestion {
		a.Err = ErrTooLarge
		return
	}
	began := time.Now()
	a.Body, a.Err = c.dialer.call(ctx, p, wire.OpQuery, q.Append(nil), MaxAnswer)
	if a.Took = time.Since(began); len(a.Body) > MaxAnswer {
		a.Body, a.Err = nil, ErrTooLarge
	}
}

var errNoHandler = errors.New("this node answers no queries")

// answerQuery has the product answer another member's query.
func (c *Cluster) answerQuery(ctx context.Context, from string, body []byte) ([]byte, error) {
	q, err := wire.ParseQuery(body)
	switch {
	case err != nil:
		return nil, err
	case len(q.Body) > MaxQuestion:
		return nil, ErrTooLarge
	case c.cfg.Handle == nil:
		return nil, errNoHandler
	}
	if c.stats.answering.Add(1) > maxAnswering {
		c.stats.answering.Add(-1)
		return nil, ErrBusy
	}
	defer c.stats.answering.Add(-1)
	answer, err := c.cfg.Handle(ctx, Question{From: from, Topic: q.Topic, Body: q.Body})
	if err == nil && len(answer) > MaxAnswer {
		return nil, ErrTooLarge
	}
	return answer, err
}
