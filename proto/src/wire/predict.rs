//! What both sides expect of the next flow, from those before it in the batch.

use crate::wire::columns::{NEW_SERVICE, NEW_SHAPE, Shape};

/// The memory of both sides.
#[derive(Debug)]
pub(super) struct Predictor {
    shapes: Shapes,
    services: Services,
    /// Mean gap between sources, times [`GAP_WEIGHT`].
    gaps: u64,
    /// Of the flow before.
    pub(super) source_port: u16,
    /// Of the flow before.
    pub(super) ttl: u8,
}

/// The mean gap follows about so many gaps.
const GAP_WEIGHT: u64 = 32;

impl Predictor {
    pub(super) fn new() -> Self {
        Self {
            shapes: Shapes::new(),
            services: Services([Slot::default(); 256]),
            gaps: GAP_WEIGHT << 16,
            source_port: 0,
            ttl: 0,
        }
    }

    /// The Rice shift for the next gap.
    #[inline]
    pub(super) fn gap_shift(&self) -> u32 {
        (self.gaps / GAP_WEIGHT).max(1).ilog2().min(31)
    }

    #[inline]
    pub(super) fn learn_gap(&mut self, gap: u32) {
        self.gaps = self.gaps - self.gaps / GAP_WEIGHT + u64::from(gap);
    }

    /// Code of a shape, and what is remembered of it. A new one is remembered from now on.
    #[inline]
    pub(super) fn shape(&mut self, shape: Shape) -> (u8, &mut ShapeMemory) {
        let code = self.shapes.code(shape);
        let at = if code == NEW_SHAPE {
            self.shapes.remember(shape)
        } else {
            usize::from(code)
        };
        (code, &mut self.shapes.known[at])
    }

    /// The shape of a code other than [`NEW_SHAPE`].
    #[inline]
    pub(super) fn known_shape(&mut self, code: u8) -> Option<(Shape, &mut ShapeMemory)> {
        let memory = self.shapes.known.get_mut(usize::from(code))?;
        Some((memory.shape, memory))
    }

    /// Code of a service; it is remembered if it deserves it.
    #[inline]
    pub(super) fn service(&mut self, transport: u8, service: u16) -> u8 {
        self.services.code(transport, service)
    }

    /// The service of a code other than [`NEW_SERVICE`].
    #[inline]
    pub(super) fn known_service(&mut self, code: u8) -> u16 {
        self.services.known(code)
    }
}

/// What flows of one shape had last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ShapeMemory {
    shape: Shape,
    pub(super) window: u16,
    pub(super) source_port: u16,
    pub(super) mean_bytes: u64,
}

/// Shapes in the order they appeared, and where each stands.
#[derive(Debug)]
struct Shapes {
    known: Vec<ShapeMemory>,
    /// Open addressing; never more than a quarter full.
    index: [u8; 1024],
}

impl Shapes {
    fn new() -> Self {
        Self {
            known: Vec::with_capacity(256),
            index: [NEW_SHAPE; 1024],
        }
    }

    #[inline]
    fn code(&self, shape: Shape) -> u8 {
        self.index[self.place(shape)]
    }

    /// Remembers a shape that has no code. When all codes are taken, the place of
    /// [`NEW_SHAPE`] itself holds the newest shape without a code.
    #[cold]
    fn remember(&mut self, shape: Shape) -> usize {
        let memory = ShapeMemory {
            shape,
            ..ShapeMemory::default()
        };
        let code = self.known.len();
        if code < usize::from(NEW_SHAPE) {
            let place = self.place(shape);
            self.index[place] = code as u8;
        }
        self.known.truncate(usize::from(NEW_SHAPE));
        self.known.push(memory);
        self.known.len() - 1
    }

    /// Where the shape's code stands, or would stand.
    #[inline]
    fn place(&self, shape: Shape) -> usize {
        let mut place = (shape.number().wrapping_mul(0x9e37_79b1) >> 22) as usize;
        loop {
            let code = self.index[place];
            if code == NEW_SHAPE || self.known[usize::from(code)].shape == shape {
                return place;
            }
            place = (place + 1) % self.index.len();
        }
    }
}

/// A service that is asked for often stays in its slot, however many others pass by.
#[derive(Debug)]
struct Services([Slot; 256]);

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// `transport << 16 | service`; 0 is no service.
    key: u32,
    confidence: u8,
}

/// A service in its slot outlives so many strangers.
const CONFIDENCE_MAX: u8 = 15;

impl Services {
    #[inline]
    fn code(&mut self, transport: u8, service: u16) -> u8 {
        let key = u32::from(transport) << 16 | u32::from(service);
        let hash = key.wrapping_mul(0x9e37_79b1);
        let code = 1 + ((u64::from(hash) * 255) >> 32) as u8;
        let slot = &mut self.0[usize::from(code)];
        if slot.key == key {
            slot.confidence = (slot.confidence + 1).min(CONFIDENCE_MAX);
            return code;
        }
        if slot.confidence == 0 {
            slot.key = key;
        } else {
            slot.confidence -= 1;
        }
        NEW_SERVICE
    }

    #[inline]
    fn known(&mut self, code: u8) -> u16 {
        let slot = &mut self.0[usize::from(code)];
        slot.confidence = (slot.confidence + 1).min(CONFIDENCE_MAX);
        slot.key as u16
    }
}
