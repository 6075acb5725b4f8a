//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"math"
)

// foghornWAV is 72 seconds of a harbour in fog: two low tones every 24 seconds
// over a calm sea, 6.4 MB of uncompressed sound. It is the same in every run.
func foghornWAV() []byte {
	const (
		rate    = 44100
		seconds = 72
		period  = 24 * rate
	)
	samples := make([]int16, rate*seconds)
	noise, surf := uint32(1), 0.0
	for i := range samples {
		noise = noise*1664525 + 1013904223 // Numerical Recipes' generator
		surf += (float64(noise)/math.MaxUint32 - 0.5 - surf) * 0.02
		t := float64(i) / rate
		level := surf * (1.2 + 0.8*math.Sin(2*math.Pi*t/9))

		at := float64(i%period) / rate
		level += tone(at, 0, 3.2, 110) + tone(at, 3.6, 2.2, 82.4)
		samples[i] = int16(max(-1, min(1, level)) * math.MaxInt16)
	}

	var b bytes.Buffer
	size := uint32(len(samples) * 2)
	header := []any{
		[]byte("RIFF"), 36 + size, []byte("WAVEfmt "), uint32(16),
		uint16(1), uint16(1), uint32(rate), uint32(rate * 2), uint16(2), uint16(16), // PCM, mono, 16 bits
		[]byte("data"), size, samples,
	}
	for _, field := range header {
		// A bytes.Buffer never fails to be written to.
		_ = binary.Write(&b, binary.LittleEndian, field)
	}
	return b.Bytes()
}

// tone is a horn of the given pitch in hertz that begins at start and lasts for
// length seconds, at the moment t.
func tone(t, start, length, pitch float64) float64 {
	t -= start
	if t < 0 || t > length {
		return 0
	}
	envelope := min(1, t/0.25, (length-t)/0.5)
	level := 0.0
	for harmonic := 1.0; harmonic <= 6; harmonic++ {
		level += math.Sin(2*math.Pi*pitch*harmonic*t) / harmonic
	}
	return 0.3 * envelope * level
}
