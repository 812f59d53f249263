package cluster

import (
	"net/netip"
	"slices"
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

// packetsTogether is how many packets are read at once, if so many have come: what
// two systems' worth of members send in a millisecond at the highest rate planned
// for. The room for them is 80 KB.
const packetsTogether = 32

// intake is what is read at once.
type intake struct {
	*network.Batch
	contents [packetsTogether][]byte // of packets, opened
	batches  []arrival
	entries  []journal.Entry
	times    []wire.Times // of the packet, whose acknowledgements follow
}

// readPackets takes packets in until the socket is closed. All that has come is
// read, and then applied in one go, on this goroutine: to hand it to another one,
// packet by packet, costs more than all else. While the journal is busy packets
// wait in the socket, and those that it has no room for are sent again.
func (c *Cluster) readPackets() {
	ring := c.ring.Load()
	opener := seal.NewOpener(ring, c.session)
	in := &intake{Batch: network.NewBatch(packetsTogether, seal.MaxPacket+1)}
	for i := range in.contents {
		in.contents[i] = make([]byte, seal.MaxPacket)
	}
	for {
		err := c.conn.Receive(in.Batch, func(n int) bool {
			if now := c.ring.Load(); now != ring {
				ring = now
				opener.Rotate(ring)
			}
			c.takePackets(in, opener, n)
			return true
		})
		if network.IsClosed(err) || c.ctx.Err() != nil {
			return
		}
		// Other errors are ICMP messages about earlier packets of ours.
	}
}

// takePackets acts on the first packets of those that were read.
func (c *Cluster) takePackets(in *intake, opener *seal.Opener, n int) {
	for i, p := range in.Packets[:n] {
		got, refusal := opener.Open(in.contents[i], p.Data)
		c.stats.packets[refusal].Add(1)
		if refusal == seal.Opened {
			c.takePacket(in, got, p)
		}
	}
	c.applyBatches(in)
}

func (c *Cluster) takePacket(in *intake, got seal.Packet, packet network.Packet) {
	v := c.view.Load()
	src := source{session: got.Session, origin: v.bySession[got.Session], via: v.byAddr[packet.From]}
	if src.via == nil {
		src.via = src.origin
	}
	if got.Hop {
		c.passOn(packet.Data, src)
	}
	in.times = in.times[:0]
	for content := got.Content; len(content) > 0; {
		frame, rest, err := wire.NextFrame(content)
		if err != nil {
			c.stats.malformed.Add(1)
			return
		}
		content = rest
		if err := c.takeFrame(in, frame, src); err != nil {
			c.stats.malformed.Add(1)
		}
	}
}

// takeFrame acts on a frame; the error says that it is malformed.
func (c *Cluster) takeFrame(in *intake, f wire.Frame, src source) error {
	switch f.Type {
	case wire.TypeBatch:
		number, entries, err := wire.ParseBatch(f.Body)
		if err == nil {
			c.takeBatch(in, number, entries, src)
		}
		return err
	case wire.TypeAck:
		acks, err := wire.ParseAcks(f.Body)
		for i := range acks {
			acks[i].Runs = in.runsOf(&acks[i])
			c.takeAck(&acks[i])
		}
		return err
	case wire.TypeTimes:
		t, err := wire.ParseTimes(f.Body)
		if err == nil {
			in.times = append(in.times, t)
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

// runsOf returns the times of an acknowledgement.
func (in *intake) runsOf(a *wire.Ack) []wire.Run {
	for i := range in.times {
		if t := &in.times[i]; t.Receiver == a.Receiver && t.Incarnation == a.Incarnation {
			return t.Runs
		}
	}
	return nil
}

// passOn sends a packet, as it is, to the rest of the own POP.
func (c *Cluster) passOn(packet []byte, src source) {
	if src.origin == nil {
		return // no loops with members that nobody knows
	}
	c.core.Lock()
	targets := c.core.PassOn(c.now(), src.origin.id, len(packet))
	c.core.Unlock()
	c.sendEach([][]byte{packet}, targets)
	c.stats.passedOn.Add(uint64(len(targets)))
}

// takeBatch takes note of a batch that is to be applied, or has it acknowledged
// once more if it has come before.
func (c *Cluster) takeBatch(in *intake, number uint64, entries []byte, src source) {
	now := c.now()
	c.core.Lock()
	defer c.core.Unlock()
	if c.core.First(now, src.session, number) {
		in.batches = append(in.batches, arrival{data: entries, number: number, src: src, at: now})
		return
	}
	c.stats.copies.Add(1)
	if inc, known := c.core.Issuer(src.session); known && src.via != nil && c.core.OweAgain(now, src.via.id) {
		c.core.syncs.by(c.core.Applied(now, spread.Debt{To: src.via.id, Incarnation: inc, Came: now}))
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
		actions := c.takeLocked()
		c.core.Unlock()
		c.perform(actions)
		return
	}
	if a.Receiver == c.self {
		return
	}
	c.core.Lock()
	c.core.Acked(now, a)
	c.wakeLocked()
	back := c.core.rtts[a.Receiver].back()
	c.core.Unlock()
	c.confirm(a, a.Held+back)
}

// confirm records what a member has applied of an own incarnation.
func (c *Cluster) confirm(a *wire.Ack, before time.Duration) {
	pop := ""
	if p := c.view.Load().byID[a.Receiver]; p != nil {
		pop = p.meta.POP
	}
	c.proof.Lock()
	defer c.proof.Unlock()
	c.proof.Acked(c.cfg.Clock(), proof.Ack{
		From: a.Receiver, Incarnation: a.Incarnation, Row: journal.Row{Head: a.Head, Above: a.Above}, Before: before, Runs: a.Runs,
	}, func(took time.Duration) {
		c.stats.observe(pop, took)
	})
}

// perform does what the spread has decided. What goes to the same members goes
// together.
func (c *Cluster) perform(a spread.Actions) {
	for sends := a.Sends; len(sends) > 0; {
		n := 1
		for n < len(sends) && slices.Equal(sends[n].To, sends[0].To) {
			n++
		}
		packets := make([][]byte, 0, n)
		for i := range sends[:n] {
			packets = append(packets, c.seal(sends[i].Content))
		}
		c.sendEach(packets, sends[0].To)
		sends = sends[n:]
	}
	for _, p := range a.Pushes {
		c.push(p)
	}
}

func (c *Cluster) seal(content []byte) []byte {
	return c.sealer.Seal(make([]byte, 0, len(content)+seal.Overhead), content)
}

func (c *Cluster) sendOne(content []byte, to *peer) {
	c.write([][]byte{c.seal(content)}, to.spread)
}

// sendEach sends packets to all: first to those that are to pass them on.
func (c *Cluster) sendEach(packets [][]byte, to []spread.Target) {
	v := c.view.Load()
	var room [32]netip.AddrPort
	for _, hop := range [...]bool{true, false} {
		addrs := room[:0]
		for _, t := range to {
			if p := v.byID[t.ID]; p != nil && t.Hop == hop {
				addrs = append(addrs, p.spread)
			}
		}
		if len(addrs) == 0 {
			continue
		}
		for _, p := range packets {
			seal.MarkHop(p, hop)
		}
		c.write(packets, addrs...)
	}
}

// write hands packets to the system. What it does not take is lost like any
// other packet.
func (c *Cluster) write(packets [][]byte, to ...netip.AddrPort) {
	sent, _ := c.conn.WriteEach(packets, to)
	bytes := 0
	for _, p := range packets {
		bytes += len(p)
	}
	c.stats.sendErrors.Add(uint64(len(packets)*len(to) - sent))
	c.stats.sentPackets.Add(uint64(sent))
	c.stats.sentBytes.Add(uint64(bytes * sent / len(packets)))
}
