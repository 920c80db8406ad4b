# What could not train is refused before anything runs, by plan as by run, with its place in the
# file; and leaves nothing behind.
. "$(dirname "$0")/setup.sh"

refused() { # TEXT ASSIGNMENT ...: by plan and by run
    text=$1; shift
    for command in plan run; do
        expect 2 "$SENET_EXP" $command tiny.yaml "$@"
        has err "$text"
        has err "^~"
    done
    [ ! -e results ] || fail "a refused command leaves results behind: $text"
}
refused "command line:1:18: error: train.batch_size: 193 is more than the 192 training images" train.batch_size=193
refused "dataset.validation: 192 of the 192 training images leave none to train on" dataset.validation=192
refused "dataset.validation: 300 of the 192 training images leave none to train on" dataset.validation=300
refused "train.batch_size: 32 is more than the 22 training images that the validation part leaves" dataset.validation=170
refused "dataset.train_limit: 31 images are fewer than a batch (train.batch_size 32)" dataset.train_limit=31
expect 0 "$SENET_EXP" plan tiny.yaml dataset.train_limit=32

# Where the setting that asks for too much is a default, the one that leaves too little is shown.
sed '/batch_size/d' tiny.yaml >default.yaml
expect 2 "$SENET_EXP" plan default.yaml dataset.train=100
has err "command line:1:15: error: dataset.train: train.batch_size: 128 is more than the 100 training images"

# Image folders: by the names of what is there.
python3 - <<'EOF2'
import base64, os
# 8 x 8 grey pixels
jpeg = base64.b64decode("/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AKp//2Q==")
for part, n in ("train", 10), ("val", 2):
    for name in "bird", "fish", "insect":
        os.makedirs(f"photos/{part}/{name}")
        for i in range(n):
            open(f"photos/{part}/{name}/{i}.jpg", "wb").write(jpeg)
EOF2
cat >photos.yaml <<'EOF2'
experiment: photos
dataset: {name: images, path: photos, mean: [0.5, 0.5, 0.5], sd: [0.5, 0.5, 0.5]}
model: {backbone: resnet8, width: 0.25, input_size: 8}
train: {epochs: 1, batch_size: 8}
augment: {flip: true}
EOF2
expect 0 "$SENET_EXP" plan photos.yaml
expect 2 "$SENET_EXP" plan photos.yaml train.batch_size=31
has err "train.batch_size: 31 is more than the 30 training images"
expect 2 "$SENET_EXP" run photos.yaml dataset.classes=4
has err "command line:1:17: error: dataset.classes: 4, but photos/train has 3 class folders"
mv photos/val/insect moved
for command in plan run; do
    expect 2 "$SENET_EXP" $command photos.yaml
    has err "photos.yaml:2:31: error: dataset.path: photos: class insect has images to train on, but none to test on"
done
mv moved photos/val/insect

# Without the data plan works, and says what it could not look at.
expect 0 "$SENET_EXP" plan photos.yaml dataset.path=away dataset.classes=3 train.batch_size=31
has out "(away: not there, so that batches and parts are not compared with its images)"
expect 3 "$SENET_EXP" run photos.yaml dataset.path=away dataset.classes=3
[ ! -e results ] || fail "results without data"
mkdir here
expect 3 "$SENET_EXP" run photos.yaml dataset.path=away dataset.classes=3 --out here/below/it
[ -d here ] && [ ! -e here/below ] || fail "what was there is gone, or what was not is there"

# The last batch of an epoch: 30 images are 3 of 8 and 6 more, or 24; errors count what was seen.
expect 0 "$SENET_EXP" run photos.yaml --out used
expect 0 "$SENET_EXP" run photos.yaml train.last_batch=drop --out dropped
python3 - <<'EOF2' || fail "images that an epoch counts"
import glob, json
for folder, images in ("used", 30), ("dropped", 24):
    record, = (json.load(open(f)) for f in glob.glob(f"{folder}/runs/*.json"))
    wrong = record["history"][0]["train_error"] * images / 100
    assert abs(wrong - round(wrong)) < 1e-6, (folder, wrong)
    assert record["settings"]["train"]["last_batch"] == ("use" if images == 30 else "drop")
EOF2
