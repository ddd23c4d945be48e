//! Flat copies that reuse memory.

/// Implements [`Clone`] for a struct field by field, `clone_from` included.
///
/// `#[derive(Clone)]` leaves `clone_from` at its default, which drops and allocates; a run that is
/// reset or forked a million times wants the memory it already has. Naming all fields is checked
/// by the compiler: a forgotten one does not build.
///
/// ```
/// struct Shelf { books: Vec<String>, width: u32 }
/// inflight_des::clone_fields!(Shelf { books, width });
/// ```
#[macro_export]
macro_rules! clone_fields {
    ($name:ident $(< $($life:lifetime),* >)? { $($field:ident),* $(,)? }) => {
        impl $(< $($life),* >)? Clone for $name $(< $($life),* >)? {
            fn clone(&self) -> Self {
                let Self { $($field),* } = self;
                Self { $($field: Clone::clone($field)),* }
            }

            fn clone_from(&mut self, source: &Self) {
                let Self { $($field),* } = source;
                $(Clone::clone_from(&mut self.$field, $field);)*
            }
        }
    };
}

#[cfg(test)]
mod tests {
    #[derive(Debug, PartialEq)]
    struct Shelf {
        books: Vec<u64>,
        width: u32,
    }

    crate::clone_fields!(Shelf { books, width });

    #[test]
    fn the_memory_is_kept() {
        let source = Shelf { books: vec![1, 2, 3], width: 7 };
        let mut shelf = Shelf { books: Vec::with_capacity(100), width: 0 };
        let before = shelf.books.as_ptr();
        shelf.clone_from(&source);
        assert_eq!(shelf, source);
        assert_eq!(shelf.books.as_ptr(), before);
        assert_eq!(source.clone(), source);
    }
}
