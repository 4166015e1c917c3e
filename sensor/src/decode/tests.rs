/// An Ethernet frame with these tags before the type, carrying an ICMP echo request.
pub(crate) fn echo_request(target: [u8; 4], tags: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend_from_slice(tags);
    frame.extend([0x08, 0x00]);
    frame.extend([0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 203, 0, 113, 7]);
    frame.extend(target);
    frame.extend([8, 0, 0, 0, 0, 0, 0, 0]);
    frame
}
