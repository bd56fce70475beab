"""What the labs share: answers that check themselves, a quiz, films to work on, and pictures side by side.

One module for each lab of ``notebooks/labs/`` holds the problems of its exercises. A problem is a function of the
student's answer. It returns an empty text if the answer is right, or else one sentence that helps to find out why not.
"""

import os

from cxrseg.labs.feedback import check, quiz
from cxrseg.labs.pictures import films, pictures

# Before a lab imports Keras: a student need not read how TensorFlow starts.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

__all__ = ["check", "films", "pictures", "quiz"]
