-- The batches of those flow tuples: one of each sensor every ten seconds of the whole time.
INSERT INTO batch_ledger
    (sensor, epoch, sequence, checksum, kept_at, interval_seconds, span_first, span_end, first, last_end,
     complete_through, telescope_addresses, target_bits, flows, packets, epoch_frames, epoch_packets, epoch_losses)
SELECT
    concat('sensor-', toString(number % {sensors:UInt64})),
    1,
    intDiv(number, {sensors:UInt64}) AS sequence,
    number,
    toDateTime64({start:UInt64} + sequence * 10 + 11, 3, 'UTC'),
    10,
    [toDateTime({start:UInt64} + sequence * 10, 'UTC')],
    [toDateTime({start:UInt64} + sequence * 10 + 10, 'UTC')],
    toDateTime({start:UInt64} + sequence * 10, 'UTC'),
    toDateTime({start:UInt64} + sequence * 10 + 10, 'UTC'),
    toDateTime({start:UInt64} + sequence * 10 + 10, 'UTC'),
    65536,
    16,
    {flows:UInt64},
    2 * {flows:UInt64},
    (sequence + 1) * (2 * {flows:UInt64} + 1),
    (sequence + 1) * 2 * {flows:UInt64},
    map('outside_telescope', sequence + 1, 'kernel_dropped', intDiv(sequence, 1000))
FROM numbers({batches:UInt64})
