package workflows

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// noise is text that no compression makes smaller.
func noise(bytes int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, bytes)
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	return text
}

// What is encoded can be read by the SDK's own codec, which wrote the histories
// of former versions and reads those of this one.
func TestLargePayloadsAreCompressedInTheFormatOfTheSDK(t *testing.T) {
	theirs := converter.NewZlibCodec(converter.ZlibCodecOptions{})
	ours := largeOnly{theirs}
	for name, test := range map[string]struct {
		data       []byte
		compressed bool
	}{
		"empty":        {nil, false},
		"small":        {[]byte(strings.Repeat("x", compressFrom-1)), false},
		"large":        {[]byte(strings.Repeat("tick ", compressFrom)), true},
		"large noise":  {noise(2 * compressFrom), false},
		"just as much": {[]byte(strings.Repeat("x", compressFrom)), true},
	} {
		t.Run(name, func(t *testing.T) {
			given := &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte("json/plain")}, Data: test.data}
			want := proto.Clone(given)
			encoded, err := ours.Encode([]*commonpb.Payload{given, given})
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range encoded {
				if got := string(one.GetMetadata()[converter.MetadataEncoding]) == "binary/zlib"; got != test.compressed {
					t.Errorf("compressed: %t, want %t", got, test.compressed)
				}
			}
			decoded, err := theirs.Decode(encoded)
			if err != nil || len(decoded) != 2 {
				t.Fatalf("%d payloads, %v", len(decoded), err)
			}
			for _, one := range decoded {
				if !proto.Equal(one, want) {
					t.Errorf("got %v back for %v", one, want)
				}
			}
		})
	}
}

// Several workflow tasks encode at the same time.
func TestPayloadsAreEncodedSideBySide(t *testing.T) {
	codec := largeOnly{converter.NewZlibCodec(converter.ZlibCodecOptions{})}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			want := strings.Repeat(string(rune('a'+i)), 3*compressFrom)
			encoded, err := codec.Encode([]*commonpb.Payload{{Data: []byte(want)}})
			if err == nil {
				encoded, err = codec.Decode(encoded)
			}
			if err != nil || string(encoded[0].GetData()) != want {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkEncode(b *testing.B) {
	codec := largeOnly{converter.NewZlibCodec(converter.ZlibCodecOptions{})}
	given := []*commonpb.Payload{{Data: []byte(strings.Repeat(`{"signal":"tasks_added","status":"ok","value":12.5}`, 1000))}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Encode(given); err != nil {
			b.Fatal(err)
		}
	}
}
