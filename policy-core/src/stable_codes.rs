//! Names that callers match on: written once, so that neither the list nor the spelling can differ.

/// An enum of unit variants whose names are stable: with `ALL`, `name()` and the name as its JSON.
macro_rules! stable_codes {
    ($(#[$about:meta])* pub enum $Codes:ident { $($(#[$doc:meta])* $Code:ident,)+ }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        $(#[$about])*
        pub enum $Codes { $($(#[$doc])* $Code,)+ }

        impl $Codes {
            /// Every one, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$Code,)+];

            /// The name as it is written here.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Code => stringify!($Code),)+ }
            }
        }

        impl std::fmt::Display for $Codes {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use stable_codes;
