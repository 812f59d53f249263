package http1

func (c *Chunks) stepTrailer(b byte, r *ChunkRules) Fault {
	if c.section++; c.section > r.Trailer {
		return TrailerTooLarge
	}
	switch b {
	case '\r':
		c.state = afterTrailerCR
	case '\n':
		return BareLF
	default:
		c.line = append(c.line, b)
	}
	return NoFault
}

func (c *Chunks) endTrailerLine(b byte, r *ChunkRules) Fault {
	if c.section++; c.section > r.Trailer {
		return TrailerTooLarge
	}
	if len(c.line) == 0 {
		return c.expect(b, '\n', atEnd, BareCR)
	}
	if fault := c.expect(b, '\n', inTrailer, BareCR); fault != NoFault {
		return fault
	}
	fault := c.takeTrailer(r)
	if fault == NoFault {
		c.line = c.line[:0]
	}
	return fault
}

// takeTrailer takes a whole line of the trailer section.
func (c *Chunks) takeTrailer(r *ChunkRules) Fault {
	name, value, fault := CutField(c.line)
	if fault == NoFault && !MayTrail(string(name)) {
		fault = TrailerField
	}
	switch {
	case !r.KeepTrailers:
		return fault
	case fault == FieldValue, fault == TrailerField:
		return NoFault
	case fault == NoFault:
		c.trailer = c.trailer.Add(string(name), string(value))
	}
	return fault
}
