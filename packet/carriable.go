package packet

import (
	"errors"
	"fmt"
)

// Carriable says why a link with an MTU of mtu bytes cannot carry b, nil if it
// can: b is empty, of a version other than 4 and 6, shorter than its header
// (IPv4: 20 bytes, and what its IHL states; IPv6: 40), or longer than mtu. The
// kernel takes such a packet from a TUN device and loses it without a word.
// Whether the packet is otherwise sound is the business of Check.
func Carriable(b []byte, mtu int) error {
	if len(b) == 0 {
		return errors.New("the packet is empty")
	}
	switch version := b[0] >> 4; version {
	case 4:
		if len(b) < ipv4Min {
			return fmt.Errorf("%d bytes are shorter than an IPv4 header (%d)", len(b), ipv4Min)
		}
		if ihl := int(b[0]&0x0f) * 4; len(b) < ihl {
			return fmt.Errorf("%d bytes are shorter than the IPv4 header of %d bytes that its IHL states", len(b), ihl)
		}
	case 6:
		if len(b) < ipv6Len {
			return fmt.Errorf("%d bytes are shorter than an IPv6 header (%d)", len(b), ipv6Len)
		}
	default:
		return fmt.Errorf("version is %d, the link carries 4 and 6", version)
	}
	if len(b) > mtu {
		return fmt.Errorf("%d bytes are over the link's MTU of %d: send fragments", len(b), mtu)
	}
	return nil
}
