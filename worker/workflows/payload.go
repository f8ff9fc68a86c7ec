package workflows

import (
	"bytes"
	"compress/zlib"
	"sync"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
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

// largeOnly compresses large payloads when encoding, in the SDK codec's format.
// Decoding, which is that codec's, tells by each payload's own mark.
type largeOnly struct{ converter.PayloadCodec }

// Encode compresses the large ones among the payloads.
func (largeOnly) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	encoded := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		encoded[i] = p
		if len(p.GetData()) < compressFrom {
			continue
		}
		one, err := compress(p)
		if err != nil {
			return payloads, err
		}
		encoded[i] = one
	}
	return encoded, nil
}

// compressors are used again: a new one allocates and clears 800 KiB, some ten
// times of what it is given to compress here.
var compressors = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// compress returns a payload in a smaller one, or as it is if that is none.
func compress(p *commonpb.Payload) (*commonpb.Payload, error) {
	plain, err := proto.Marshal(p)
	if err != nil {
		return nil, err
	}
	var small bytes.Buffer
	w := compressors.Get().(*zlib.Writer)
	defer compressors.Put(w)
	w.Reset(&small)
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if small.Len() >= len(plain) {
		return p, nil
	}
	return &commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte("binary/zlib")},
		Data:     small.Bytes(),
	}, nil
}
