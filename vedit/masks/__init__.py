"""Where to change the picture: a mask setting becomes one mask per frame, in step with the film.

A setting is one of

    tensor            (F,1,H,W), one mask per frame of the film, or (1,1,H,W), the same in all of them
    picture           "logo.png": the same in every frame
    film              "mask.mp4": its n-th picture belongs to the film's n-th frame
    folder            "masks/": the same with pictures, in the order of the numbers in their names
    box:x,y,w,h       a rectangle: left, top, width, height in pixels
    poly:x,y x,y …    a polygon of at least three corners
    track:N=SETTING   what a box, a polygon or a picture marks in frame N (from 0), followed through N's shot
    sam2:N=SETTING    what point:x,y x,y !x,y (on it, and ! beside it), a box, a polygon or a picture marks in frame
                      N, outlined and followed by SAM 2; sam2@FOLDER:N=… with another checkpoint (`vedit engines`)
    auto:caption      burned-in captions and time stamps, found
    auto:logo         marks that stay where they are while the picture moves, found

or several of the strings joined from left to right by `` + `` and `` - `` with a space on each side.

White (over half of full scale) means "change this pixel". Masks are found by the frame's absolute index, so a
film of masks runs on across cuts although edits keep nothing between shots.
"""

from vedit.masks.setting import MaskSetting, check_mask
from vedit.masks.shape import dilated, feathered
from vedit.masks.stream import with_masks

__all__ = ["MaskSetting", "check_mask", "dilated", "feathered", "with_masks"]
