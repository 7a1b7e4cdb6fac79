//! Enums whose variants have names that callers match on.

/// Declares an enum of unit variants, each with a stable name: the variant's own, or the one given.
///
/// ```
/// policy_core::stable_names! {
///     /// Colours of a light.
///     pub enum Light {
///         /// Stop.
///         Red,
///         /// Go.
///         Green = "not-red",
///     }
/// }
/// assert_eq!(Light::ALL, [Light::Red, Light::Green]);
/// assert_eq!((Light::Red.name(), Light::Green.name()), ("Red", "not-red"));
/// ```
///
/// The enum, `ALL` (in the order of declaration), `name()`, `Display` and `Serialize` (both by name) all come
/// from the one list, so that none of them can lack a variant. rustdoc shows the documentation of the variants.
#[macro_export]
macro_rules! stable_names {
    (
        $(#[$about:meta])*
        $visibility:vis enum $Enum:ident {
            $( $(#[$of_variant:meta])* $Variant:ident $(= $name:literal)? ),+ $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $Enum {
            $( $(#[$of_variant])* $Variant ),+
        }

        impl $Enum {
            /// Every variant, in the order of declaration.
            $visibility const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The stable name.
            $visibility const fn name(self) -> &'static str {
                match self {
                    $( Self::$Variant => $crate::stable_names!(@name $Variant $($name)?) ),+
                }
            }
        }

        impl ::std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::serde::Serialize for $Enum {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
    (@name $Variant:ident) => {
        stringify!($Variant)
    };
    (@name $Variant:ident $name:literal) => {
        $name
    };
}
