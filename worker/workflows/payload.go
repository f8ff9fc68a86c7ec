package workflows

import (
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

// compressFrom is the size in bytes from which a payload is compressed.
// Smaller ones stay legible in Temporal's own user interface.
const compressFrom = 8 << 10

// DataConverter returns the converter that every client of these workflows has
// to use: the worker, and whoever starts, queries or replays them. It is the
// SDK's own with large payloads compressed. Observations and assessments are
// repetitive text that shrinks to about a tenth, and a history holds each of
// them twice.
func DataConverter() converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(),
		largeOnly{converter.NewZlibCodec(converter.ZlibCodecOptions{})})
}

// largeOnly applies a codec to large payloads when encoding. Decoding tells by
// each payload's own mark.
type largeOnly struct{ converter.PayloadCodec }

// Encode compresses the large ones among the payloads.
func (c largeOnly) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	encoded := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		encoded[i] = p
		if len(p.GetData()) < compressFrom {
			continue
		}
		one, err := c.PayloadCodec.Encode([]*commonpb.Payload{p})
		if err != nil {
			return payloads, err
		}
		encoded[i] = one[0]
	}
	return encoded, nil
}
