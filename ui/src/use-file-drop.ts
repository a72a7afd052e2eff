import { useEffect, useState } from 'react';
import { chosenFiles, droppedFiles, type Selection } from './dropped-files.ts';

const carriesFiles = (transfer: DataTransfer | null) => transfer?.types.includes('Files') ?? false;

/** Takes files and folders dropped anywhere on the page, and files pasted into it. Returns whether some are being dragged over it. */
export const useFileDrop = (onSelection: (selection: Selection) => void): boolean => {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let entered: EventTarget | null = null;
    const onDragEnter = ({ target }: DragEvent) => {
      entered = target;
    };
    const onDragOver = (event: DragEvent) => {
      if (!carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      setOver(true);
    };
    // The next element is entered before the last one is left. Safari up to 26 does not say where the pointer goes (relatedTarget).
    const onDragLeave = ({ target }: DragEvent) => {
      if (target === entered) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      setOver(false);
      if (!event.dataTransfer || !carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      void droppedFiles(event.dataTransfer).then(onSelection);
    };
    const onPaste = (event: ClipboardEvent) => {
      const files = event.clipboardData?.files;
      if (files && files.length > 0) onSelection(chosenFiles(files));
    };
    window.addEventListener('dragenter', onDragEnter);
    window.addEventListener('dragover', onDragOver);
    window.addEventListener('dragleave', onDragLeave);
    window.addEventListener('drop', onDrop);
    window.addEventListener('paste', onPaste);
    return () => {
      window.removeEventListener('dragenter', onDragEnter);
      window.removeEventListener('dragover', onDragOver);
      window.removeEventListener('dragleave', onDragLeave);
      window.removeEventListener('drop', onDrop);
      window.removeEventListener('paste', onPaste);
    };
  }, [onSelection]);
  return over;
};
