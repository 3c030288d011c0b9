package packet_test

import (
	"fmt"

	"github.com/tun-mcp/tun-mcp/packet"
)

// request is an ICMP echo request from 10.77.0.1 to 10.77.0.2 with four bytes of
// data.
const request = "4500 0020 1a11 4000 4001 0c30 0a4d 0001 0a4d 0002 0800 f824 3ae6 0001 abcd 1926"

func ExampleSummary() {
	p, err := packet.ParseHex(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(packet.Summary(p))
	fmt.Println(packet.Summary(p[:24]))
	// Output:
	// IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq 1, checksums ok
	// IPv4 10.77.0.1 > 10.77.0.2 total length is 32, the packet has 24 bytes
}

// A reply made of the request that it answers, whose checksum was forgotten.
func ExampleCheck() {
	p, err := packet.ParseHex(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := packet.Patch(p, nil, map[string]string{
		"12": "0a4d0002 0a4d0001", // source and destination
		"20": "00",                // type: echo reply
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, fault := range packet.Check(reply) {
		fmt.Println(fault)
		fmt.Printf("at offset %d: got %#04x, want %#04x\n", fault.At, fault.Given, fault.Want)
	}
	// Output:
	// ICMP checksum is 0xf824, should be 0x0025
	// at offset 22: got 0xf824, want 0x0025
}

// Lengths and checksums of 0 are filled in. What they depend on, such as the
// header length, is not.
func ExampleFix() {
	p, err := packet.ParseHex("4500 0000 0000 4000 4001 0000 0a4d 0002 0a4d 0001 0000 0000 3ae6 0001")
	if err != nil {
		fmt.Println(err)
		return
	}
	fixed, err := packet.Fix(p)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(packet.Words(fixed, len(fixed)))
	fmt.Println(packet.Summary(fixed))

	p[0] = 0x42
	_, err = packet.Fix(p)
	fmt.Println(err)
	// Output:
	// 0: 4500 001c 0000 4000 4001 2645 0a4d 0002
	// 16: 0a4d 0001 0000 c518 3ae6 0001
	// IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id 15078 seq 1, checksums ok
	// fix: IPv4 header length is 8, should be at least 20; fix fills in only total lengths and checksums, so correct this by hand
}

func ExampleDump() {
	p, err := packet.ParseHex(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(packet.Dump(p, 0, true, true))
	// Output:
	// 0: 4500 0020 1a11 4000 4001 0c30 0a4d 0001  |E.. ..@.@..0.M..|
	// 16: 0a4d 0002 0800 f824 3ae6 0001 abcd 1926  |.M.....$:......&|
	//
	// IPv4 header, 20 bytes
	//     0  4 bits   version                 4
	//     0  4 bits   header length           5 words, 20 bytes
	//     1  6 bits   DSCP                    0
	//     1  2 bits   ECN                     0
	//     2  2        total length            32
	//     4  2        identification          0x1a11
	//     6  3 bits   flags                   don't fragment (DF)
	//     6  13 bits  fragment offset         0, byte 0
	//     8  1        time to live            64
	//     9  1        protocol                1 (ICMP)
	//    10  2        header checksum         0x0c30
	//    12  4        source address          10.77.0.1
	//    16  4        destination address     10.77.0.2
	// ICMP header, 8 bytes
	//    20  1        type                    8 (echo request)
	//    21  1        code                    0
	//    22  2        checksum                0xf824
	//    24  2        identifier              15078, 0x3ae6
	//    26  2        sequence number         1
	// payload: bytes 28 to 31, 4 bytes
	//
	// IPv4 header checksum 0x0c30: ok
	// ICMP checksum 0xf824: ok
}
