package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

const (
	// maxLookups is how many receipts are looked for on other members at a time:
	// somebody who may read receipts must not make a thousand members work by
	// asking for ids that nobody has.
	maxLookups = 8
	// lookTogether is how many members are asked at a time, and lookAt how many at
	// all: each that was there when the purge was accepted has its receipt, so
	// more would not know more.
	lookTogether = 3
	lookAt       = 9
)

// lookups are the receipts that are being looked for.
type lookups chan struct{}

// receiptElsewhere asks some members for the receipt of a purge that this node
// does not know. The error says what came of that.
func (a *App) receiptElsewhere(ctx context.Context, id purge.ID) ([]byte, error) {
	select {
	case a.lookups <- struct{}{}:
		defer func() { <-a.lookups }()
	default:
		return nil, fmt.Errorf("%w: too many ask for purges that this node does not know", control.ErrBusy)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var alive, silent []string
	for _, m := range a.cluster.Members() {
		if m.State == cluster.MemberAlive || m.State == cluster.MemberNew {
			alive = append(alive, m.Name)
		}
	}
	rand.Shuffle(len(alive), func(i, j int) { alive[i], alive[j] = alive[j], alive[i] })
	alive = alive[:min(len(alive), lookAt)]
	for rest := alive; len(rest) > 0; rest = rest[min(lookTogether, len(rest)):] {
		some := rest[:min(lookTogether, len(rest))]
		for i, answer := range a.askEach(ctx, some, topicPurge, []byte(id.String())) {
			switch {
			case answer.Err != nil:
				silent = append(silent, some[i])
			case len(answer.Body) > 0:
				return answer.Body, nil
			}
		}
	}
	if len(silent) > 0 {
		return nil, fmt.Errorf("this node was not there or has forgotten it, and %s did not answer", strings.Join(silent, ", "))
	}
	return nil, fmt.Errorf("nor do %d other members know it", len(alive))
}

// askEach asks members the same, and returns their answers in order.
func (a *App) askEach(ctx context.Context, members []string, topic string, body []byte) []cluster.Answer {
	answers := make([]cluster.Answer, len(members))
	var wg sync.WaitGroup
	for i, name := range members {
		wg.Go(func() {
			answers[i] = a.cluster.Query(ctx, cluster.To{Member: name}, topic, body)[0]
		})
	}
	wg.Wait()
	return answers
}

// answerPurge answers a member that looks for a receipt: with nothing if there is
// none here.
func (a *App) answerPurge(body []byte) ([]byte, error) {
	id, err := purge.ParseID(string(body))
	if err != nil {
		return nil, err
	}
	return a.control.Show(id), nil
}
