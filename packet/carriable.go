package packet

import (
	"errors"
	"fmt"
)

// Carriable returns the reason why a link with an MTU of mtu bytes cannot carry b,
// or nil. b must not be empty, its version must be 4 or 6, it must be at least as
// long as its header (IPv4: 20 bytes, or what the IHL states; IPv6: 40), and not
// longer than mtu. The kernel accepts other packets from a TUN device and silently
// drops them. Check covers everything else.
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
		return fmt.Errorf("IP version is %d; accepted: 4 and 6", version)
	}
	if len(b) > mtu {
		return fmt.Errorf("%d bytes are over the link's MTU of %d: send fragments", len(b), mtu)
	}
	return nil
}
