//! Figures of redis-server 7.0.15, and searches against looking at every member.

use super::*;
use proptest::prelude::*;

/// A place as given, its score, and what GEOPOS and GEOHASH answer.
type Known = (f64, f64, f64, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const PLACES: [Known; 12] = [
    (13.361389, 38.115556, 3479099956230698.0, "13.36138933897018433", "38.11555639549629859", "sqc8b49rny0"),
    (15.087269, 37.502669, 3479447370796909.0, "15.08726745843887329", "37.50266842333162032", "sqdtr74hyu0"),
    (0.0, 0.0, 3377699720527872.0, "0.00000268220901489", "0.00000126736058093", "s0000000000"),
    (180.0, 85.05112878, 13510798882111488.0, "180", "85.0511287799999991", "bp05b5048p0"),
    (-180.0, -85.05112878, 0.0, "-179.99999731779098511", "-85.05112751263942528", "00bh0hbj200"),
    (-122.4194, 37.7749, 1367859919124626.0, "-122.41940170526504517", "37.77490001056577995", "9q8yyk8ytp0"),
    (139.6917, 35.6895, 4171231230197045.0, "139.69170123338699341", "35.68950126697937009", "xn774c06kt0"),
    (179.9999, -16.5, 3355687726873826.0, "179.99990075826644897", "-16.49999931370297901", "rvpfpurbt90"),
    (-179.9999, -16.5, 353287975294536.0, "-179.99990075826644897", "-16.49999931370297901", "2j040h20d30"),
    (1e-7, -1e-7, 2627099782632789.0, "0.00000268220901489", "-0.00000126736058093", "kpbpbpbpbp0"),
    (-0.1278, 51.5074, 2163557714755072.0, "-0.12779921293258667", "51.50740077990133159", "gcpvj0duq50"),
    (25.0, 84.9, 3788363080739650.0, "24.99999850988388062", "84.89999983295615493", "ux1fbzs6q50"),
];

/// Two of `PLACES`, the score that STOREDIST stores, and what GEODIST answers in metres and miles.
const DISTANCES: [(usize, usize, f64, &str, &str); 9] = [
    (0, 1, 166274.15156960033, "166274.1516", "103.3182"),
    (0, 2, 4454733.020417085, "4454733.0204", "2768.0496"),
    (3, 4, 18919844.589143682, "18919844.5891", "11756.2756"),
    (5, 6, 8273047.40242968, "8273047.4024", "5140.6461"),
    (7, 8, 21.167462245181387, "21.1675", "0.0132"),
    (2, 9, 0.2819276563643834, "0.2819", "0.0002"),
    (10, 11, 3774334.796895557, "3774334.7969", "2345.2687"),
    (0, 11, 5216223.26083425, "5216223.2608", "3241.2189"),
    (6, 6, 0.0, "0.0000", "0.0000"),
];

fn place(longitude: f64, latitude: f64) -> Place {
    Place { longitude, latitude }
}

#[test]
fn places_are_those_of_redis() {
    for (longitude, latitude, score, longitude_text, latitude_text, geohash) in PLACES {
        assert_eq!(score_of_place(place(longitude, latitude)), score);
        let found = place_of_score(score);
        assert_eq!(coordinate_text(found.longitude), longitude_text);
        assert_eq!(coordinate_text(found.latitude), latitude_text);
        assert_eq!(geohash_text(score), *geohash.as_bytes());
    }
}

#[test]
fn distances_are_those_of_redis() {
    for (from, to, metres, metres_text, miles_text) in DISTANCES {
        let found = distance_m(place_of_score(PLACES[from].2), place_of_score(PLACES[to].2));
        // GEOSEARCH does not find the place beyond the grid, so its distance is known to four decimals only.
        assert!(found == metres || from == 3, "{found} {metres}");
        assert_eq!(distance_text(found), metres_text);
        assert_eq!(distance_text(found / Unit::Mile.metres()), miles_text);
    }
}

#[test]
fn texts_have_no_more_digits_than_they_need() {
    for (degrees, text) in
        [(0.0, "0"), (-0.0, "0"), (-1e-30, "0"), (90.0, "90"), (-1.5, "-1.5"), (100.0, "100")]
    {
        assert_eq!(coordinate_text(degrees), text);
    }
    for (distance, text) in
        [(0.00005, "0.0001"), (0.00004, "0.0000"), (0.03125, "0.0312"), (f64::NAN, "-nan")]
    {
        assert_eq!(distance_text(distance), text);
    }
}

/// A member every 20 degrees of longitude and 16 of latitude, named by its number, in the order of scores.
fn lattice() -> Vec<(usize, f64)> {
    let places = (-180..=180).step_by(20).flat_map(|longitude| {
        (-80..=80).step_by(16).map(move |latitude| place(f64::from(longitude), f64::from(latitude)))
    });
    let mut members: Vec<(usize, f64)> = places.map(score_of_place).enumerate().collect();
    members.sort_by(|left, right| left.1.total_cmp(&right.1));
    members
}

/// The members inside in the order in which they are found.
fn search(area: &Area, members: &[(usize, f64)]) -> Vec<usize> {
    let ranges = area.ranges();
    let visited = ranges.flat_map(|range| members.iter().filter(move |member| range.contains(&member.1)));
    let inside = visited.filter(|member| area.distance_m(place_of_score(member.1)).is_some());
    inside.map(|member| member.0).collect()
}

fn circle(center: Place, radius: f64, unit: Unit) -> Area {
    Area { center, shape: Shape::Circle { radius }, unit }
}

fn rectangle(center: Place, width: f64, height: f64, unit: Unit) -> Area {
    Area { center, shape: Shape::Box { width, height }, unit }
}

#[test]
fn members_are_found_in_the_order_of_redis() {
    let searches: [(Area, &[usize]); 8] = [
        (circle(place(15.0, 37.0), 3000.0, Unit::Kilometre), &[105, 116, 106, 117, 128, 107, 118, 129]),
        (circle(place(0.0, 0.0), 2500.0, Unit::Kilometre), &[104, 115, 105, 103, 93]),
        (
            circle(place(-170.0, -70.0), 2000.0, Unit::Mile),
            &[
                0, 11, 1, 12, 22, 23, 2, 13, 24, 33, 34, 44, 45, 55, 66, 77, 132, 143, 154, 165, 166, 176,
                177, 187, 188, 189,
            ],
        ),
        (
            rectangle(place(179.0, 0.0), 6000.0, 4000.0, Unit::Kilometre),
            &[192, 193, 191, 5, 16, 6, 17, 4, 15],
        ),
        (
            rectangle(place(100.0, 82.0), 3000.0, 3000.0, Unit::Kilometre),
            &[120, 131, 142, 153, 164, 175, 186, 197, 10],
        ),
        (rectangle(place(-90.5, 45.5), 2e7, 5e6, Unit::Foot), &[41, 52, 63, 74]),
        (
            circle(place(60.0, -75.0), 3e6, Unit::Metre),
            &[
                99, 110, 100, 111, 121, 122, 132, 133, 143, 144, 154, 155, 165, 166, 176, 187, 0, 11, 22, 33,
                44, 55, 66, 77, 88,
            ],
        ),
        (
            rectangle(place(0.0, 0.0), 40000.0, 100.0, Unit::Kilometre),
            &[104, 115, 126, 137, 148, 159, 170, 181, 192, 16, 27, 38, 49, 60, 71, 82, 93],
        ),
    ];
    let members = lattice();
    for (area, found) in searches {
        assert_eq!(search(&area, &members), found, "{area:?}");
    }
}

#[test]
fn strange_sizes_find_what_is_there() {
    let members = lattice();
    let middle = place(0.0, 0.0);
    // The place that is exactly on the eastern edge is beyond every cell's range.
    for radius in [f64::INFINITY, 1e300, 1e9] {
        assert_eq!(search(&circle(middle, radius, Unit::Mile), &members).len(), members.len() - 11);
    }
    assert!(search(&circle(middle, 0.0, Unit::Metre), &members).is_empty());
    assert_eq!(search(&circle(place_of_score(members[0].1), 0.0, Unit::Metre), &members), [members[0].0]);
    assert_eq!(search(&circle(middle, 1.0, Unit::Metre), &members).len(), 1);
    assert_eq!(search(&circle(middle, 5e-324, Unit::Metre), &members).len(), 0);
    assert!(!search(&rectangle(middle, f64::INFINITY, 1.0, Unit::Metre), &members).is_empty());
}

/// The example of Valkey's manual.
#[test]
fn a_polygon_is_searched_from_the_mean_of_its_vertices() {
    let vertices = [
        (12.41098696654226, 38.05033923003755),
        (15.107936245794182, 38.00616649901906),
        (18.148439288534455, 38.63804787603499),
        (17.80831874257693, 39.50316813110968),
        (12.458468633214036, 38.57719533463012),
    ];
    let polygon = Polygon::new(vertices.iter().map(|vertex| place(vertex.0, vertex.1)).collect());
    let polygon = polygon.expect("five vertices");
    let area = Area { center: polygon.center(), shape: Shape::Polygon(polygon), unit: Unit::Metre };
    let sicily =
        [(13.361389, 38.115556), (15.087269, 37.502669), (12.758489, 38.788135), (17.24151, 38.788135)];
    let distances = sicily.map(|(longitude, latitude)| {
        area.distance_m(place_of_score(score_of_place(place(longitude, latitude)))).map(distance_text)
    });
    let expected = [Some("166482.0159"), None, None, Some("180861.7725")];
    assert_eq!(distances, expected.map(|text| text.map(str::to_owned)));
    assert_eq!(Polygon::new(vec![Place::default(); 2]), None);
}

#[test]
fn a_ray_through_a_vertex_counts_it_once() {
    let diamond = [(0.0, 2.0), (2.0, 0.0), (0.0, -2.0), (-2.0, 0.0)];
    let diamond = Polygon::new(diamond.iter().map(|vertex| place(vertex.0, vertex.1)).collect());
    let diamond = diamond.expect("four vertices");
    for (longitude, latitude, is_inside) in
        [(0.0, 0.0, true), (-1.9, 0.0, true), (-3.0, 0.0, false), (-1.0, 2.0, false), (1.5, 1.0, false)]
    {
        assert_eq!(diamond.contains(place(longitude, latitude)), is_inside, "{longitude} {latitude}");
    }
}

fn any_place() -> impl Strategy<Value = Place> {
    (-180.0..180.0, -85.0..85.0).prop_map(|(longitude, latitude)| place(longitude, latitude))
}

fn members_of(places: &[Place]) -> Vec<(usize, f64)> {
    let mut members: Vec<(usize, f64)> = places.iter().copied().map(score_of_place).enumerate().collect();
    members.sort_by(|left, right| left.1.total_cmp(&right.1));
    members
}

/// Every member that lies inside, without a look at ranges.
fn inside(area: &Area, members: &[(usize, f64)]) -> Vec<usize> {
    let inside = members.iter().filter(|member| area.distance_m(place_of_score(member.1)).is_some());
    let mut found: Vec<usize> = inside.map(|member| member.0).collect();
    found.sort_unstable();
    found
}

proptest! {
    /// Up to 60 degrees and 1000 km; where an area reaches over a pole, Redis misses what is behind.
    #[test]
    fn circles_and_boxes_find_all_that_is_inside(
        longitude in -180.0..180.0,
        latitude in -60.0..60.0,
        size_m in 1.0..1e6,
        stretch in 0.1..1.0,
        offsets in prop::collection::vec((-40.0..40.0, -25.0..25.0), 1..60),
    ) {
        let center = place(longitude, latitude);
        let scale = size_m / 2e6;
        let around = |(east, north): (f64, f64)| {
            let longitude: f64 = longitude + east * scale;
            let beyond = longitude.abs() > 180.0;
            let wrapped = if beyond { longitude - 360.0 * longitude.signum() } else { longitude };
            place(wrapped, latitude + north * scale).clamped()
        };
        let members = members_of(&offsets.into_iter().map(around).collect::<Vec<_>>());
        let round = circle(center, size_m, Unit::Metre);
        let flat = rectangle(center, 2.0 * size_m * stretch, size_m, Unit::Metre);
        for area in [round, flat] {
            let mut found = search(&area, &members);
            found.sort_unstable();
            prop_assert_eq!(found, inside(&area, &members));
        }
    }

    #[test]
    fn polygons_find_all_that_is_inside(
        vertices in prop::collection::vec(any_place(), 3..9),
        places in prop::collection::vec(any_place(), 1..60),
    ) {
        let polygon = Polygon::new(vertices).expect("at least three vertices");
        let area = Area { center: polygon.center(), shape: Shape::Polygon(polygon), unit: Unit::Metre };
        let members = members_of(&places);
        let mut found = search(&area, &members);
        found.sort_unstable();
        prop_assert_eq!(found, inside(&area, &members));
    }

    #[test]
    fn ranges_do_not_overlap(center in any_place(), radius in 0.0..3e7) {
        let mut ranges: Vec<_> = circle(center, radius, Unit::Metre).ranges().collect();
        ranges.sort_by(|left, right| left.start.total_cmp(&right.start));
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
}
