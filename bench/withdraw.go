package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/api"
)

// How often a churn withdraws what, in seconds; where several are due, the first.
const (
	allHardEvery  = 420
	allSoftEvery  = 97
	setHardEvery  = 61
	undoneEvery   = 4 // a group, and 2 s later it is undone
	softEvery     = 3
	undoneAfter   = 2
	softFor       = 30 * time.Second
	withdrawsEach = time.Second
)

// withdraw purges something each second.
func (w *whirl) withdraw(ctx context.Context) error {
	admin, err := dial(w.server.purging.address)
	if err != nil {
		return err
	}
	defer admin.Close()
	reader, err := dial(w.server.http)
	if err != nil {
		return err
	}
	defer reader.Close()
	undo := map[int]string{} // second: the purge to be undone then
	beat := time.NewTicker(withdrawsEach)
	defer beat.Stop()
	for second := 1; ; second++ {
		select {
		case <-beat.C:
		case <-ctx.Done():
			return nil
		}
		if id, ok := undo[second]; ok {
			delete(undo, second)
			if err := revertRescind(admin, id); err != nil {
				return err
			}
			w.reverts.Add(1)
		}
		id, err := w.withdrawOne(second, admin, reader)
		if err != nil {
			return err
		}
		w.purges.Add(1)
		if second%undoneEvery == 0 {
			undo[second+undoneAfter] = id
		}
	}
}

func (w *whirl) withdrawOne(second int, admin, reader *conn) (id string, err error) {
	phase := w.phaseNumber()
	o := w.old(phase)
	ttl := api.Duration(softFor)
	switch {
	case second%allHardEvery == 0:
		return purgeRescind(admin, allPurge())
	case second%allSoftEvery == 0:
		return purgeRescind(admin, api.Purge{Service: serviceID, All: true, Mode: api.Soft, TTL: &ttl})
	case second%setHardEvery == 0:
		other := whirlPhases[(phase+1)%len(whirlPhases)]
		return purgeRescind(admin, api.Purge{Service: serviceID, Keys: []string{setKey(other.set)}})
	case second%undoneEvery == 0:
		return purgeRescind(admin, api.Purge{Service: serviceID, Keys: []string{o.groupKey()}})
	case second%softEvery == 0:
		return purgeRescind(admin, api.Purge{Service: serviceID, Keys: []string{o.groupKey()}, Mode: api.Soft, TTL: &ttl})
	}
	sent, _, err := reader.fetch(object{set: "clock", size: sequenceBytes, number: second})
	if err != nil {
		return "", err
	}
	if id, err = purgeRescind(admin, api.Purge{Service: serviceID, Keys: []string{o.groupKey()}}); err != nil {
		return "", err
	}
	return id, w.verify(reader, o, sent)
}

func allPurge() api.Purge { return api.Purge{Service: serviceID, All: true} }

// purgeRescind carries a purge out and returns its id.
func purgeRescind(c *conn, p api.Purge) (id string, err error) {
	body, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	a, err := c.do("POST", api.PathPurges, []string{"Content-Type: application/json"}, string(body))
	if err != nil {
		return "", err
	}
	var receipt api.Receipt
	if a.status != 200 {
		return "", fmt.Errorf("a purge had status %d: %s", a.status, a.body)
	}
	return receipt.ID, json.Unmarshal(a.body, &receipt)
}

func revertRescind(c *conn, id string) error {
	a, err := c.do("POST", api.PathPurges+"/"+id+api.RevertSuffix, nil, "")
	if err == nil && a.status != 200 {
		err = fmt.Errorf("reverting %s had status %d: %s", id, a.status, a.body)
	}
	return err
}

// checkBooks checks that as many objects are stored as were put in and did not
// leave. Nothing may be asked of the node meanwhile.
func checkBooks(c *conn) error {
	const tries = 3 // a sweep may be under way between two of the numbers
	var err error
	for range tries {
		a, failed := c.get("/metrics")
		if failed != nil {
			return failed
		}
		if err = parseBooks(string(a.body)); err == nil {
			return nil
		}
	}
	return err
}

func parseBooks(text string) error {
	var stored, added, removed int64
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		name, _, _ = strings.Cut(name, "{")
		var sum *int64
		switch name {
		case "rescind_store_objects":
			sum = &stored
		case "rescind_store_added_objects_total":
			sum = &added
		case "rescind_store_removed_objects_total":
			sum = &removed
		default:
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		*sum += int64(v)
	}
	if added == 0 || added-removed != stored {
		return fmt.Errorf("%d objects are stored; %d were put in and %d left", stored, added, removed)
	}
	return nil
}
