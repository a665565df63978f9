//! Shapes of signed fields: where a gateway joins fields without escaping them, each must have a
//! shape that keeps its ends apart from its neighbours'.

/// What a text looks like: pieces one after the other, each as long as it can be.
pub type Shape = &'static [Piece];

/// A run of characters of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The characters.
    pub class: Class,
    /// Fewest of them.
    pub min: usize,
    /// Most of them.
    pub max: usize,
}

/// A class of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// ASCII letters and digits.
    Alphanumeric,
    /// Any byte.
    Any,
    /// ASCII capitals.
    Capital,
    /// ASCII digits.
    Digit,
    /// Any byte but this one.
    Except(u8),
    /// Only this byte.
    Only(u8),
}

impl Class {
    /// Between `min` and `max` characters of this class.
    pub const fn times(self, min: usize, max: usize) -> Piece {
        Piece { class: self, min, max }
    }

    /// One character of this class.
    pub const fn once(self) -> Piece {
        self.times(1, 1)
    }

    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Any => true,
            Self::Capital => byte.is_ascii_uppercase(),
            Self::Digit => byte.is_ascii_digit(),
            Self::Except(other) => byte != other,
            Self::Only(only) => byte == only,
        }
    }
}

/// True where the whole text has the shape.
pub(crate) fn fits(shape: Shape, text: &[u8]) -> bool {
    let mut rest = text;
    for piece in shape {
        let taken = rest.iter().take(piece.max).take_while(|byte| piece.class.has(**byte)).count();
        if taken < piece.min {
            return false;
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_has_the_shape_or_none_of_it() {
        const PRICE: Shape =
            &[Class::Digit.times(1, 15), Class::Only(b'.').once(), Class::Digit.times(2, 2)];
        for good in ["0.00", "98.53", "100000000000000.99"] {
            assert!(fits(PRICE, good.as_bytes()), "{good}");
        }
        for bad in ["", ".00", "98.5", "98.533", "98,53", "-98.53", "98.53 ", "1000000000000000.99"]
        {
            assert!(!fits(PRICE, bad.as_bytes()), "{bad}");
        }
        assert!(fits(&[], b""));
        assert!(!fits(&[], b"x"));
    }
}
