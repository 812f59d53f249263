package cluster

import (
	"net/netip"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/network"
	"github.com/rescind-edge/rescind/internal/cluster/proof"
	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// source is where a packet came from.
type source struct {
	session seal.Session
	origin  *peer // who sealed it; nil: nobody whom the membership knows (yet)
	via     *peer // who sent it: the origin or a relay; nil likewise
}

// readPackets takes packets in until the socket is closed.
func (c *Cluster) readPackets() {
	ring := c.ring.Load()
	opener := seal.NewOpener(ring, c.session)
	packet, scratch := make([]byte, seal.MaxPacket+1), make([]byte, seal.MaxPacket)
	for {
		n, from, err := c.conn.ReadFrom(packet)
		if err != nil {
			if network.IsClosed(err) || c.ctx.Err() != nil {
				return
			}
			continue // an ICMP message about an earlier packet of ours
		}
		if now := c.ring.Load(); now != ring {
			ring = now
			opener.Rotate(ring)
		}
		got, refusal := opener.Open(scratch, packet[:n])
		c.stats.packets[refusal].Add(1)
		if refusal == seal.Opened {
			c.takePacket(got, packet[:n], from)
		}
	}
}

func (c *Cluster) takePacket(got seal.Packet, packet []byte, from netip.AddrPort) {
	v := c.view.Load()
	src := source{session: got.Session, origin: v.bySession[got.Session], via: v.byAddr[from]}
	if src.via == nil {
		src.via = src.origin
	}
	if got.Hop {
		c.passOn(packet, src)
	}
	for content := got.Content; len(content) > 0; {
		frame, rest, err := wire.NextFrame(content)
		if err != nil {
			c.stats.malformed.Add(1)
			return
		}
		content = rest
		if err := c.takeFrame(frame, src); err != nil {
			c.stats.malformed.Add(1)
		}
	}
}

// takeFrame acts on a frame; the error says that it is malformed.
func (c *Cluster) takeFrame(f wire.Frame, src source) error {
	switch f.Type {
	case wire.TypeBatch:
		number, entries, err := wire.ParseBatch(f.Body)
		if err == nil {
			c.takeBatch(number, entries, src)
		}
		return err
	case wire.TypeAck:
		acks, err := wire.ParseAcks(f.Body)
		for i := range acks {
			c.takeAck(&acks[i])
		}
		return err
	case wire.TypePing, wire.TypePong:
		token, err := wire.ParsePing(f.Body)
		if err == nil {
			c.takePing(f.Type, token, src)
		}
		return err
	case wire.TypeProbe:
		p, err := wire.ParseProbe(f.Body)
		if err == nil {
			c.answerProbe(p, src)
		}
		return err
	case wire.TypeProbeReply:
		p, err := wire.ParseProbeReply(f.Body)
		if err == nil {
			c.probes.answer(p)
		}
		return err
	}
	c.stats.unknownFrames.Add(1)
	return nil
}

// passOn sends a packet, as it is, to the rest of the own POP.
func (c *Cluster) passOn(packet []byte, src source) {
	if src.origin == nil {
		return // no loops with members that nobody knows
	}
	v := c.view.Load()
	c.core.Lock()
	targets := c.core.PassOn(c.now(), src.origin.id, len(packet))
	c.core.Unlock()
	seal.MarkHop(packet, false)
	for _, t := range targets {
		if p := v.byID[t.ID]; p != nil {
			c.write(packet, p)
		}
	}
	c.stats.passedOn.Add(uint64(len(targets)))
}

// takeBatch queues a batch to be applied, or acknowledges once more what has
// come before.
func (c *Cluster) takeBatch(number uint64, entries []byte, src source) {
	now := c.now()
	c.core.Lock()
	first := c.core.First(now, src.session, number)
	inc, known := c.core.Issuer(src.session)
	again := !first && known && src.via != nil && c.core.OweAgain(now, src.via.id)
	c.core.Unlock()
	if !first {
		c.stats.copies.Add(1)
		if again {
			c.owe(src.via.id, inc, 0)
		}
		return
	}
	select {
	case c.batches <- arrival{data: append([]byte(nil), entries...), number: number, src: src, at: now}:
	default:
		c.core.Lock()
		c.core.Unreceived(src.session, number)
		c.core.Unlock()
		c.stats.overrun.Add(1)
	}
}

// takeAck credits an acknowledgement to an own entry, or passes it on to whose
// it is.
func (c *Cluster) takeAck(a *wire.Ack) {
	now := c.now()
	c.proof.Lock()
	own := c.proof.own[a.Incarnation]
	c.proof.Unlock()
	if !own {
		c.core.Lock()
		c.core.Relay(now, *a)
		actions := c.core.Take()
		c.core.Unlock()
		c.perform(actions)
		c.poke()
		return
	}
	if a.Receiver == c.self {
		return
	}
	c.core.Lock()
	c.core.Acked(now, a)
	back := c.rttLocked(a.Receiver) / 2
	c.core.Unlock()
	c.confirm(a.Receiver, a.Incarnation, journal.Row{Head: a.Head, Above: a.Above}, a.Held+back)
}

// confirm records what a member has applied of an own incarnation.
func (c *Cluster) confirm(from wire.ID, inc journal.Incarnation, row journal.Row, before time.Duration) {
	pop := ""
	if p := c.view.Load().byID[from]; p != nil {
		pop = p.meta.POP
	}
	c.proof.Lock()
	defer c.proof.Unlock()
	c.proof.Acked(c.cfg.Clock(), proof.Ack{From: from, Incarnation: inc, Row: row, Before: before}, func(took time.Duration) {
		c.stats.observe(pop, took)
	})
}

// perform does what the spread has decided.
func (c *Cluster) perform(a spread.Actions) {
	for i := range a.Sends {
		c.sendTo(a.Sends[i].Content, a.Sends[i].To)
	}
	for _, p := range a.Pushes {
		c.push(p)
	}
}

// sendTo seals content once and sends it to all.
func (c *Cluster) sendTo(content []byte, to []spread.Target) {
	v := c.view.Load()
	packet := c.sealer.Seal(make([]byte, 0, seal.MaxPacket), content)
	for _, t := range to {
		if p := v.byID[t.ID]; p != nil {
			seal.MarkHop(packet, t.Hop)
			c.write(packet, p)
		}
	}
}

func (c *Cluster) sendOne(content []byte, to *peer) {
	c.write(c.sealer.Seal(make([]byte, 0, seal.MaxPacket), content), to)
}

// write hands a packet to the system. What it does not take is lost like any
// other packet.
func (c *Cluster) write(packet []byte, to *peer) {
	if _, err := c.conn.WriteTo(packet, to.spread); err != nil {
		c.stats.sendErrors.Add(1)
		return
	}
	c.stats.sentPackets.Add(1)
	c.stats.sentBytes.Add(uint64(len(packet)))
}
